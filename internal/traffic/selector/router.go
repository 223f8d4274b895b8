package selector

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/traffic"
)

// Name is the router's name in the catalog and in plans.
const Name = plan.ServiceRouter

// patience is how long the endpoints may take to follow the selector.
const patience = time.Minute

// errBehind is the cause of a wait for the endpoints that ran out.
var errBehind = errors.New("the endpoints do not follow the selector")

// Router points a Service at one side or the other.
type Router struct {
	client     *kube.Client
	scene      *kube.Scene
	annotation string
	slices     *kube.View               // EndpointSlices of the Service
	pods       map[plan.Side]*kube.View // by the Service's selector for each side
	view       *kube.View               // the Service
	service    plan.Ref
	side       plan.Side // that our last write, or look, found the Service to point at; "" before
	theirs     bool      // the Service points at neither, and was never ours
}

var (
	_ traffic.Router  = (*Router)(nil)
	_ traffic.Watcher = (*Router)(nil)
)

// New returns a router for the Service t.Base, whose endpoints it follows in the scene.
func New(client *kube.Client, scene *kube.Scene, workload string, t plan.Traffic) *Router {
	r := &Router{client: client, scene: scene, annotation: kube.OriginalMark(workload), pods: map[plan.Side]*kube.View{},
		service: kube.ServiceRef(t.Namespace, t.Base),
		slices:  scene.Follow("discovery.k8s.io/v1", "EndpointSlice", t.Namespace, "kubernetes.io/service-name="+t.Base)}
	r.view = scene.FollowOne(r.service)
	for side, match := range t.Selectors {
		r.pods[side] = scene.Follow("v1", "Pod", t.Namespace, labels.SelectorFromSet(match).String())
	}
	return r
}

// Set implements traffic.Router. s is every request or an error.
func (r *Router) Set(ctx context.Context, t plan.Traffic, s plan.Split) error {
	if s.Weight != plan.All || len(s.Ring) > 0 {
		return fmt.Errorf("the selector of %s moves every request or none, not %s of them; divide requests by a route (spec.traffic)", r.service, s.Weight)
	}
	_, err := r.client.Modify(ctx, r.service, func(o *unstructured.Unstructured) (bool, error) {
		return point(o, t, r.annotation, plan.Candidate)
	})
	if err != nil {
		return fmt.Errorf("switch %s: %w", r.service, err)
	}
	r.side, r.theirs = plan.Candidate, false
	return nil
}

// Restore implements traffic.Router. The requests move with its first write; the second takes our marks off.
func (r *Router) Restore(ctx context.Context, t plan.Traffic, originals []plan.Object) error {
	stored, err := r.client.Modify(ctx, r.service, func(o *unstructured.Unstructured) (bool, error) {
		if r.theirs = neither(o, t) && !r.marked(o); r.theirs {
			return false, nil // somebody changed it before it was ever switched
		}
		return point(o, t, r.annotation, plan.Base)
	})
	if err != nil {
		return fmt.Errorf("switch %s back: %w", r.service, err)
	}
	r.side = plan.Base
	_, err = r.client.ModifyFrom(ctx, stored, func(o *unstructured.Unstructured) (bool, error) {
		marked := r.marked(o)
		if marked {
			kube.Unmark(o, r.annotation)
		}
		return kube.Disown(o, original(originals, r.service)) || marked, nil
	})
	if err != nil {
		return fmt.Errorf("take our marks off %s: %w", r.service, err)
	}
	return nil
}

func (r *Router) marked(o *unstructured.Unstructured) bool {
	_, marked := o.GetAnnotations()[r.annotation]
	return marked
}

// neither tells whether the Service's selector is neither side's.
func neither(o *unstructured.Unstructured, t plan.Traffic) bool {
	now := selectorOf(o.Object)
	return !maps.Equal(now, t.Selectors[plan.Base]) && !maps.Equal(now, t.Selectors[plan.Candidate])
}

func original(originals []plan.Object, ref plan.Ref) plan.Object {
	i := slices.IndexFunc(originals, func(o plan.Object) bool { return plan.RefOf(o) == ref })
	if i < 0 {
		return nil
	}
	return originals[i]
}

// point makes the Service's selector that of a side. On the way to the candidate the user's is kept in the annotation. It
// reports whether anything changed.
func point(o *unstructured.Unstructured, t plan.Traffic, annotation string, to plan.Side) (bool, error) {
	if neither(o, t) {
		return false, foreign(o, t)
	}
	_, marked := o.GetAnnotations()[annotation]
	if maps.Equal(selectorOf(o.Object), t.Selectors[to]) && (marked || to == plan.Base) {
		return false, nil
	}
	if !marked && to == plan.Candidate {
		if err := kube.KeepOriginal(o, annotation, map[string]any{kept: t.Selectors[plan.Base]}); err != nil {
			return false, err
		}
	}
	return true, unstructured.SetNestedStringMap(o.Object, t.Selectors[to], "spec", "selector")
}

// foreign says that somebody else changed the Service, and who.
func foreign(o *unstructured.Unstructured, t plan.Traffic) error {
	who := "nobody knows who"
	if names := writers(o); len(names) > 0 {
		who = "last written by " + names[len(names)-1]
	}
	return fmt.Errorf("somebody changed the selector of %s during the rollout to %s (%s): it is neither the base's (%s) nor the candidate's (%s); "+
		"it is left as it is. Give it one of the two, and run again", plan.RefOf(o.Object), labels.FormatLabels(selectorOf(o.Object)), who,
		labels.FormatLabels(t.Selectors[plan.Base]), labels.FormatLabels(t.Selectors[plan.Candidate]))
}

// writers are the managers, but for us, that own the Service's selector or a part of it, the latest one last.
func writers(o *unstructured.Unstructured) []string {
	entries := slices.Clone(o.GetManagedFields())
	slices.SortStableFunc(entries, func(a, b managed) int {
		if a.Time == nil || b.Time == nil {
			return 0
		}
		return a.Time.Compare(b.Time.Time)
	})
	var names []string
	for _, e := range entries {
		if e.Manager != kube.Manager && owns(e) {
			names = append(names, e.Manager)
		}
	}
	return names
}

// InForce implements traffic.Router.
func (r *Router) InForce(ctx context.Context, t plan.Traffic) error {
	if r.theirs {
		return nil // nothing of ours is there that could come into force
	}
	if r.side == "" { // nothing was written yet: the Service tells
		o, err := r.client.Get(ctx, r.service)
		if err != nil {
			return fmt.Errorf("read %s: %w", r.service, err)
		}
		if r.side = plan.Base; Share(o.Object, t) > 0 {
			r.side = plan.Candidate
		}
	}
	bounded, cancel := r.client.Bounded(ctx, patience, errBehind)
	defer cancel()
	err := r.scene.Wait(bounded, 0, func() (bool, error) {
		pods := r.pods[r.side]
		return r.told(t) && r.slices.Synced() && pods.Synced() && follow(r.slices.List(), pods.List()), nil
	})
	if errors.Is(err, errBehind) {
		return fmt.Errorf("%s was written, but its endpoints are not the ready pods of the %s after %s; look at "+
			"`kubectl get endpointslices -n %s -l kubernetes.io/service-name=%s`", r.service, r.side, patience, t.Namespace, t.Base)
	}
	return err
}

// told tells whether the watch has told of the Service as it was written.
func (r *Router) told(t plan.Traffic) bool {
	seen := r.view.One()
	return seen != nil && maps.Equal(selectorOf(seen.Object), t.Selectors[r.side])
}
