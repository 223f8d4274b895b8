package contract

import (
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
)

func staff() []plan.Match { return []plan.Match{{Header: "X-Staff", Value: "1"}} }

// shares: what is set is what requests and readers of the route see, and setting it again writes nothing.
func shares(t *testing.T, w *world) {
	for _, share := range []plan.Share{percent(5), percent(25), percent(50), plan.All, percent(10)} {
		w.set(t, plan.Split{Weight: share})
		if got := w.share(t); got != share {
			t.Errorf("the routes tell %s, not %s", got, share)
		}
		versions := w.versions(t)
		w.set(t, plan.Split{Weight: share})
		if again := w.versions(t); !slices.Equal(again, versions) {
			t.Errorf("setting %s again wrote: %v, then %v", share, versions, again)
		}
		if w.Unheard {
			continue
		}
		if seen := w.sees(t, 1000); !within(seen["v2"], 1000, share) || seen["v1"]+seen["v2"] != 1000 {
			t.Errorf("at %s the answers are %v", share, seen)
		}
	}
	if w.Unheard {
		return
	}
	w.restore(t)
	if seen := w.sees(t, 200); seen["v1"] != 200 {
		t.Errorf("restored, the answers are %v", seen)
	}
}

// share is what the routes say about themselves, those of ours included.
func (w *world) share(t *testing.T) plan.Share {
	t.Helper()
	var most plan.Share
	for _, ref := range slices.Concat(w.traffic.Routes, w.traffic.Own) {
		most = max(most, w.Kind.Share(w.get(t, ref), w.traffic))
	}
	return most
}

func (w *world) versions(t *testing.T) []string {
	t.Helper()
	var list []string
	for _, ref := range slices.Concat(w.traffic.Routes, w.traffic.Own) {
		list = append(list, (&unstructured.Unstructured{Object: w.get(t, ref)}).GetResourceVersion())
	}
	return list
}

// restored: nothing of ours is left in the user's objects, whatever was set before.
func restored(t *testing.T, w *world) {
	can := w.can()
	splits := []plan.Split{{Weight: percent(25)}, {Weight: plan.All}}
	if can.Matches {
		splits = append(splits, plan.Split{Ring: staff()}, plan.Split{Weight: percent(5), Ring: staff()})
	}
	if can.Cohorts {
		splits = append(splits, plan.Split{Weight: percent(5), Cohorts: groups(1)}, plan.Split{Weight: percent(25), Cohorts: groups(2)})
	}
	if can.Mirror {
		splits = append(splits, plan.Split{Mirror: plan.All})
	}
	for _, s := range splits {
		w.set(t, s)
		reached := false
		for _, ref := range slices.Concat(w.traffic.Routes, w.traffic.Own) {
			reached = reached || w.Kind.Reaches(w.get(t, ref), w.traffic)
		}
		if !reached {
			t.Errorf("%s: no route tells that it reaches the candidate", s)
		}
		w.restore(t)
		w.asBefore(t, s.String(), nil)
		w.restore(t) // once more does nothing
	}
}

// asBefore wants the user's objects as they were, but for what change does to them.
func (w *world) asBefore(t *testing.T, when string, change func(*unstructured.Unstructured)) {
	t.Helper()
	for _, before := range w.before {
		now, want := w.get(t, plan.RefOf(before)), bare(before)
		if change != nil {
			change(&unstructured.Unstructured{Object: want})
		}
		if got := text(bare(now)); got != text(want) {
			t.Errorf("%s, and restored, %s is\n%s\nnot\n%s", when, plan.RefOf(before), got, text(want))
		}
		if slices.Contains(managers(now), kube.Manager) {
			t.Errorf("%s, and restored, fields of %s are still ours", when, plan.RefOf(before))
		}
		if w.Kind.Reaches(now, w.traffic) || w.Kind.Share(now, w.traffic) != 0 {
			t.Errorf("%s, and restored, %s tells that it reaches the candidate", when, plan.RefOf(before))
		}
	}
}

// othersSurvive: what somebody else writes meanwhile is there afterwards.
func othersSurvive(t *testing.T, w *world) {
	w.set(t, plan.Split{Weight: percent(25)})
	annotate := func(o *unstructured.Unstructured) {
		annotations := o.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations["example.com/note"] = "written meanwhile"
		o.SetAnnotations(annotations)
	}
	for _, ref := range w.traffic.Routes {
		if _, err := w.client.Modify(t.Context(), ref, func(o *unstructured.Unstructured) (bool, error) { annotate(o); return true, nil }); err != nil {
			t.Fatal(err)
		}
	}
	w.set(t, plan.Split{Weight: percent(50)})
	w.restore(t)
	for _, before := range w.before {
		if !slices.Contains(w.traffic.Routes, plan.RefOf(before)) {
			continue // only read
		}
		annotate(&unstructured.Unstructured{Object: before})
	}
	w.asBefore(t, "annotated by somebody else", nil)
}

// drift: who applies the old routes again is noticed, and setting the split again puts it right.
func drift(t *testing.T, w *world) {
	s := plan.Split{Weight: percent(25)}
	w.set(t, s)
	if found := w.router.Drift(w.traffic, s); len(found) > 0 {
		t.Fatalf("drift without any: %v", found)
	}
	for _, ref := range slices.Concat(w.traffic.Routes, w.traffic.Own) {
		_, err := w.client.Modify(t.Context(), ref, func(o *unstructured.Unstructured) (bool, error) {
			return w.Kind.Restore(o, w.traffic, kube.OriginalMark(workload), nil)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	pass(t, time.Second)
	found := w.router.Drift(w.traffic, s)
	if len(found) == 0 || !strings.Contains(strings.Join(found, "\n"), "somebody changed") {
		t.Fatalf("the old weights are not noticed: %v", found)
	}
	w.set(t, s)
	if found := w.router.Drift(w.traffic, s); len(found) > 0 {
		t.Errorf("put right, and still: %v", found)
	}
}
