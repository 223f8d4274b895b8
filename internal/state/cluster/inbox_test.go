package cluster_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
	"github.com/tidegate/tidegate/internal/state/cluster"
)

func abort(id string) engine.Request {
	return engine.Request{ID: id, Verb: engine.Abort, By: "person", At: time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)}
}

func TestInboxCalls(t *testing.T) {
	bubble(t, func(t *testing.T, s *apiserver.Server, _ *world, o cluster.Options, _ *[]string) {
		ctx, inbox := t.Context(), cluster.NewInbox(o)
		cost := counting(s, func() { must(t, inbox.Post(ctx, abort("one"))) })
		wantCalls(t, "the first request", cost, map[string]int{"patch configmaps": 1, "create configmaps": 1})
		cost = counting(s, func() { must(t, inbox.Post(ctx, abort("two"))) })
		wantCalls(t, "a request", cost, map[string]int{"patch configmaps": 1})
		cost = counting(s, func() { must(t, inbox.Clear(ctx, "two")) })
		wantCalls(t, "an answer", cost, map[string]int{"patch configmaps": 1})
		watching, cancel := context.WithCancel(ctx)
		cost = counting(s, func() {
			requests := inbox.Requests(watching)
			<-requests
			time.Sleep(4 * time.Minute)
		})
		wantCalls(t, "four minutes of watching", cost, map[string]int{"watch configmaps": 1, "get configmaps": 1})
		cancel()
	})
}

func TestInboxBounds(t *testing.T) {
	bubble(t, func(t *testing.T, s *apiserver.Server, _ *world, o cluster.Options, _ *[]string) {
		inbox, r := cluster.NewInbox(o), abort("one")
		r.Reason, r.By = strings.Repeat("é\"", 4000), strings.Repeat("x", 600)
		must(t, inbox.Post(t.Context(), r))
		obj := s.Store().Get(configMaps.GroupResource(), "default", recordName+"-inbox")
		value, _, _ := unstructured.NestedString(obj.Object, "data", "one")
		if len(value) > 1<<10 || len(value) < 512 || strings.ContainsRune(value, '�') {
			t.Errorf("%d bytes: %s", len(value), value)
		}
		r.ID = "no/key"
		if err := inbox.Post(t.Context(), r); err == nil {
			t.Error("an id that cannot be a key was accepted")
		}
		r = abort("two")
		r.Rollout = strings.Repeat("x", 2000)
		if err := inbox.Post(t.Context(), r); err == nil || !strings.Contains(err.Error(), "too large") {
			t.Errorf("error %v", err)
		}
	})
}

func TestMalformedRequests(t *testing.T) {
	bubble(t, func(t *testing.T, _ *apiserver.Server, _ *world, o cluster.Options, warnings *[]string) {
		ctx, inbox := t.Context(), cluster.NewInbox(o)
		must(t, inbox.Post(ctx, abort("first")))
		patch := []byte(`{"data":{"note":"hello","empty":"{}","named":"{\"id\":\"other\",\"verb\":\"abort\"}"}}`)
		_, err := o.Client.Resource(configMaps).Namespace("default").Patch(ctx, recordName+"-inbox", types.MergePatchType, patch, metav1.PatchOptions{})
		must(t, err)
		requests := inbox.Requests(ctx)
		if r := <-requests; r.ID != "named" {
			t.Errorf("got %+v: the key is what Clear removes", r)
		}
		if r := <-requests; r.ID != "first" {
			t.Errorf("got %+v", r)
		}
		must(t, inbox.Post(ctx, abort("second")))
		if r := <-requests; r.ID != "second" {
			t.Errorf("got %+v", r)
		}
		if len(*warnings) != 2 {
			t.Errorf("warnings %q", *warnings)
		}
	})
}

// TestCompactedHistory: a watch that cannot go on is opened anew, and nothing is sent twice.
func TestCompactedHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, w := sandbox(t)
		reader, poster := w.process("a", 0, ""), w.process("b", 0, "")
		must(t, poster.inbox.Post(t.Context(), abort("one")))
		requests := reader.inbox.Requests(t.Context())
		if r := <-requests; r.ID != "one" {
			t.Errorf("got %+v", r)
		}
		for _, id := range []string{"two", "three"} {
			reader.Break("reset")
			must(t, poster.inbox.Post(t.Context(), abort(id)))
			s.Store().Compact()
			time.Sleep(time.Hour)
			reader.Mend()
			if r := <-requests; r.ID != id {
				t.Errorf("got %+v", r)
			}
		}
		time.Sleep(time.Hour)
		select {
		case r := <-requests:
			t.Errorf("got %+v again", r)
		default:
		}
	})
}
