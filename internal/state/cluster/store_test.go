package cluster_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
	"github.com/tidegate/tidegate/internal/state/cluster"
)

const recordName = "tidegate-deployment-web"

// bubble runs a test with a sandbox of its own in virtual time; warnings are collected.
func bubble(t *testing.T, test func(t *testing.T, s *apiserver.Server, w *world, o cluster.Options, warnings *[]string)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s, w := sandbox(t)
		var warnings []string
		o := w.options(w.client(nil), clock.Real{})
		o.Warn = func(text string) { warnings = append(warnings, text) }
		test(t, s, w, o, &warnings)
	})
}

func rollout() *engine.Record {
	return &engine.Record{Rollout: &engine.Rollout{
		ID: "r-1", Phase: engine.Undoing, Started: time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC), Step: 1, Reason: "errors rose",
		Plan: plan.Plan{
			Target: plan.Target{Images: map[string]string{"web": "web:2", "proxy": "proxy:1"}},
			Steps:  []plan.Step{{ID: "candidate"}, {ID: "shift-10"}},
		},
		Steps: []engine.StepState{{ID: "candidate"}, {ID: "shift-10"}},
	}}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// counting is what f costs in requests.
func counting(s *apiserver.Server, f func()) map[string]int {
	before := s.Calls()
	f()
	cost := s.Calls()
	for verb, n := range before {
		if cost[verb] -= n; cost[verb] == 0 {
			delete(cost, verb)
		}
	}
	return cost
}

func wantCalls(t *testing.T, what string, got, want map[string]int) {
	t.Helper()
	if !maps.Equal(got, want) {
		t.Errorf("%s cost %v, want %v", what, got, want)
	}
}

func TestStoreCalls(t *testing.T) {
	bubble(t, func(t *testing.T, s *apiserver.Server, _ *world, o cluster.Options, _ *[]string) {
		ctx, store, r := t.Context(), cluster.NewStore(o), rollout()
		cost := counting(s, func() { must(t, store.Claim(ctx, r)) })
		wantCalls(t, "a claim of nothing", cost, map[string]int{"create configmaps": 1})
		cost = counting(s, func() { r.Rollout.Reason = "x"; must(t, store.Save(ctx, r)) })
		wantCalls(t, "a save", cost, map[string]int{"update configmaps": 1})
		other := cluster.NewStore(o)
		cost = counting(s, func() { _, err := other.Load(ctx); must(t, err) })
		wantCalls(t, "a load", cost, map[string]int{"get configmaps": 1})
		cost = counting(s, func() { must(t, other.Claim(ctx, r)) })
		wantCalls(t, "a claim after a load", cost, map[string]int{"update configmaps": 1})
		cost = counting(s, func() {
			if err := store.Save(ctx, &engine.Record{Epoch: 1}); !errors.Is(err, engine.ErrFenced) {
				t.Errorf("error %v", err)
			}
		})
		wantCalls(t, "a fenced save", cost, map[string]int{"update configmaps": 1, "get configmaps": 1})
	})
}

func TestRecordIsReadable(t *testing.T) {
	bubble(t, func(t *testing.T, s *apiserver.Server, _ *world, o cluster.Options, _ *[]string) {
		must(t, cluster.NewStore(o).Claim(t.Context(), rollout()))
		obj := s.Store().Get(schema.GroupResource{Resource: "configmaps"}, "default", recordName)
		data, _, _ := unstructured.NestedStringMap(obj.Object, "data")
		if len(data["claim"]) < 20 {
			t.Errorf("claim %q", data["claim"])
		}
		delete(data, "claim")
		want := map[string]string{
			"id": "r-1", "phase": "undoing", "step": "shift-10 (2 of 2)", "images": "proxy=proxy:1 web=web:2", "epoch": "1",
			"started": "2026-05-04T03:02:01Z", "reason": "errors rose",
		}
		if !maps.Equal(data, want) {
			t.Errorf("data %v, want %v", data, want)
		}
		labels := map[string]string{"app.kubernetes.io/managed-by": "tidegate", "tidegate.dev/workload": "deployment.web"}
		if !maps.Equal(obj.GetLabels(), labels) {
			t.Errorf("labels %v", obj.GetLabels())
		}
	})
}

func TestLabelsFit(t *testing.T) {
	long := plan.Ref{Kind: "StatefulSet", Name: strings.Repeat("a", 60)}
	other := long
	other.Name += "b"
	a, b := cluster.Labels(long)[cluster.WorkloadLabel], cluster.Labels(other)[cluster.WorkloadLabel]
	if len(a) > 63 || a == b || !strings.HasPrefix(a, "statefulset.aaa") {
		t.Errorf("%q, %q", a, b)
	}
}

func TestForeignEditIsKept(t *testing.T) {
	bubble(t, func(t *testing.T, s *apiserver.Server, _ *world, o cluster.Options, _ *[]string) {
		ctx, store, r := t.Context(), cluster.NewStore(o), rollout()
		must(t, store.Claim(ctx, r))
		patch := []byte(`{"metadata":{"labels":{"team":"shop"}}}`)
		_, err := o.Client.Resource(configMaps).Namespace("default").Patch(ctx, recordName, types.MergePatchType, patch, metav1.PatchOptions{})
		must(t, err)
		r.Rollout.Reason = "later"
		must(t, store.Save(ctx, r))
		obj := s.Store().Get(schema.GroupResource{Resource: "configmaps"}, "default", recordName)
		if reason, _, _ := unstructured.NestedString(obj.Object, "data", "reason"); reason != "later" || obj.GetLabels()["team"] != "shop" {
			t.Errorf("reason %q, labels %v", reason, obj.GetLabels())
		}
	})
}

func TestDeletedRecordWarns(t *testing.T) {
	bubble(t, func(t *testing.T, _ *apiserver.Server, w *world, o cluster.Options, warnings *[]string) {
		store, r := cluster.NewStore(o), rollout()
		must(t, store.Claim(t.Context(), r))
		w.DeleteRecord(t)
		must(t, store.Save(t.Context(), r))
		if len(*warnings) != 1 || !strings.Contains((*warnings)[0], "deleted") {
			t.Errorf("warnings %q", *warnings)
		}
	})
}

// TestPermanentErrors are not tried again.
func TestPermanentErrors(t *testing.T) {
	bubble(t, func(t *testing.T, s *apiserver.Server, _ *world, o cluster.Options, _ *[]string) {
		s.Deny(func(verb, _, _, _, _ string) bool { return verb == "create" })
		start := time.Now()
		err := cluster.NewStore(o).Claim(t.Context(), rollout())
		if !apierrors.IsForbidden(err) || time.Since(start) > 0 {
			t.Errorf("error %v after %s", err, time.Since(start))
		}
	})
}

// TestTransientAnswers are tried again: 429 with Retry-After, 503, 504.
func TestTransientAnswers(t *testing.T) {
	for _, answer := range []error{
		apierrors.NewTooManyRequests("busy", 2), apierrors.NewServiceUnavailable("no leader"),
		apierrors.NewTimeoutError("slow", 0), errors.New("internal"),
	} {
		t.Run(answer.Error(), func(t *testing.T) {
			bubble(t, func(t *testing.T, s *apiserver.Server, _ *world, o cluster.Options, _ *[]string) {
				n := 0
				s.Intercept(func(*http.Request) *apiserver.Fault {
					if n++; n <= 3 {
						return &apiserver.Fault{Answer: answer}
					}
					return nil
				})
				must(t, cluster.NewStore(o).Claim(t.Context(), rollout()))
			})
		})
	}
}

// noise is text that cannot be compressed.
func noise(n int) string {
	random := rand.New(rand.NewPCG(1, uint64(n)))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return base64.StdEncoding.EncodeToString(b)
}

func TestLargeRecords(t *testing.T) {
	history := func(r *engine.Record, n, size int) {
		for i := range n {
			r.History = append(r.History, engine.Past{ID: string(rune('a' + i)), Template: plan.Object{"noise": noise(size + i)}})
		}
	}
	evidence := func(r *engine.Record, size int) {
		standing := gates.Standing{}
		standing.Evidence = gates.Evidence{Text: noise(size), Value: gates.Number(7)}
		r.Rollout.Steps[0].Gates = map[string]engine.Tally{"errors": {Last: standing, Worst: &standing}}
	}
	for _, c := range []struct {
		name      string
		fill      func(*engine.Record)
		templates int
		text      bool
		fails     bool
	}{
		{name: "all fits", fill: func(r *engine.Record) { history(r, 10, 10<<10); evidence(r, 20<<10) }, templates: 10, text: true},
		{name: "old templates", fill: func(r *engine.Record) { history(r, 10, 30<<10); evidence(r, 20<<10) }, templates: 5, text: true},
		{name: "what ran before", fill: func(r *engine.Record) {
			history(r, 6, 20<<10)
			for i := range r.History {
				r.History[i].Before = &engine.Before{Images: map[string]string{"app": "x"}, Template: plan.Object{"noise": noise(20<<10 - 1 - i)}}
			}
			evidence(r, 20<<10)
		}, templates: 5, text: true},
		{name: "evidence", fill: func(r *engine.Record) { history(r, 3, 10<<10); evidence(r, 200<<10) }, templates: 0},
		{name: "too large", fill: func(r *engine.Record) {
			history(r, 2, 10<<10)
			r.Rollout.Baseline.Workload = plan.Object{"noise": noise(300 << 10)}
		}, fails: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *apiserver.Server, _ *world, o cluster.Options, warnings *[]string) {
				store, r := cluster.NewStore(o), rollout()
				c.fill(r)
				before, _ := json.Marshal(r)
				err := store.Claim(t.Context(), r)
				if c.fails {
					if err == nil || !strings.Contains(err.Error(), "256 KiB") || r.Epoch != 0 {
						t.Fatalf("error %v, epoch %d", err, r.Epoch)
					}
					return
				}
				must(t, err)
				must(t, store.Save(t.Context(), r))
				r.Epoch = 0
				if after, _ := json.Marshal(r); !bytes.Equal(before, after) {
					t.Error("the caller's record was changed")
				}
				obj := s.Store().Get(schema.GroupResource{Resource: "configmaps"}, "default", recordName)
				obj.SetManagedFields(nil)
				if data, _ := obj.MarshalJSON(); len(data) > cluster.MaxRecord+512 { // with what the server adds
					t.Errorf("%d bytes", len(data))
				}
				checkLarge(t, store, c.templates, c.text)
				if shrunk := c.templates < len(r.History); len(*warnings) != map[bool]int{true: 1}[shrunk] {
					t.Errorf("warnings %q", *warnings)
				}
			})
		})
	}
}

func checkLarge(t *testing.T, store *cluster.Store, templates int, text bool) {
	t.Helper()
	got, err := store.Load(t.Context())
	must(t, err)
	n := 0
	for i, past := range got.History {
		if past.Template != nil {
			if n++; i >= templates {
				t.Errorf("template %d of %d was kept", i, templates)
			}
		}
	}
	tally := got.Rollout.Steps[0].Gates["errors"]
	if n != templates || (tally.Last.Evidence.Text != "") != text || (tally.Worst.Evidence.Text != "") != text {
		t.Errorf("%d templates, %d bytes of evidence", n, len(tally.Last.Evidence.Text))
	}
	if *tally.Last.Evidence.Value != 7 {
		t.Error("the number is gone")
	}
}

func TestUnreadableRecord(t *testing.T) {
	bubble(t, func(t *testing.T, _ *apiserver.Server, _ *world, o cluster.Options, _ *[]string) {
		ctx, store, r := t.Context(), cluster.NewStore(o), rollout()
		must(t, store.Claim(ctx, r))
		patch := []byte(`{"binaryData":{"record":"bm90IGd6aXA="}}`)
		_, err := o.Client.Resource(configMaps).Namespace("default").Patch(ctx, recordName, types.MergePatchType, patch, metav1.PatchOptions{})
		must(t, err)
		if _, err := cluster.NewStore(o).Load(ctx); err == nil || !strings.Contains(err.Error(), "kubectl delete configmap -n default "+recordName) {
			t.Errorf("error %v", err)
		}
		must(t, store.Save(ctx, r)) // its holder knows better: the epoch is still readable
		if _, err := cluster.NewStore(o).Load(ctx); err != nil {
			t.Error(err)
		}
	})
}

// TestWatchIsQuiet: a watch that is opened anew does not send the same version again.
func TestWatchIsQuiet(t *testing.T) {
	bubble(t, func(t *testing.T, _ *apiserver.Server, _ *world, o cluster.Options, _ *[]string) {
		store := cluster.NewStore(o)
		records := store.WatchRecord(t.Context())
		if r := <-records; r != nil {
			t.Errorf("got %+v", r)
		}
		time.Sleep(time.Hour)
		must(t, store.Claim(t.Context(), rollout()))
		if r := <-records; r == nil {
			t.Error("no record was sent twice")
		}
		time.Sleep(time.Hour)
		select {
		case r := <-records:
			t.Errorf("got %+v again", r)
		default:
		}
	})
}
