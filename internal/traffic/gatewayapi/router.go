package gatewayapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/traffic"
)

// Name is the router's name in the catalog and in the spec.
const Name = "gatewayAPI"

// acceptance is how long a gateway may take to say that it accepts a route.
const acceptance = time.Minute

// errNotAccepted is the cause of a wait for acceptance that ran out.
var errNotAccepted = errors.New("not accepted in time")

// Router splits HTTPRoutes and GRPCRoutes.
type Router struct {
	client     *kube.Client
	scene      *kube.Scene
	annotation string
	views      map[plan.Ref]*kube.View
	// written is the generation of each route after our last write.
	written map[plan.Ref]int64
}

var (
	_ traffic.Router     = (*Router)(nil)
	_ traffic.Acceptance = (*Router)(nil)
)

// New returns a router for the routes of t, which it follows in the scene.
func New(client *kube.Client, scene *kube.Scene, workload string, t plan.Traffic) *Router {
	r := &Router{client: client, scene: scene, annotation: kube.OriginalMark(workload),
		views: map[plan.Ref]*kube.View{}, written: map[plan.Ref]int64{}}
	for _, ref := range t.Routes {
		r.views[ref] = scene.FollowOne(ref)
	}
	return r
}

// Set implements traffic.Router.
func (r *Router) Set(ctx context.Context, t plan.Traffic, s plan.Split) error {
	for _, ref := range t.Routes {
		stored, err := r.client.Modify(ctx, ref, func(o *unstructured.Unstructured) (bool, error) {
			return split(o, t, r.annotation, s)
		})
		if err != nil {
			return fmt.Errorf("set the split of %s: %w", ref, err)
		}
		r.written[ref] = stored.GetGeneration()
	}
	return nil
}

// Restore implements traffic.Router. The requests move with its first write; the second only cleans managedFields.
func (r *Router) Restore(ctx context.Context, t plan.Traffic, originals []plan.Object) error {
	restored := make([]*unstructured.Unstructured, len(t.Routes))
	for i, ref := range t.Routes {
		stored, err := r.client.Modify(ctx, ref, func(o *unstructured.Unstructured) (bool, error) {
			return restore(o, t, r.annotation, original(originals, ref))
		})
		if err != nil {
			return fmt.Errorf("restore %s: %w", ref, err)
		}
		restored[i], r.written[ref] = stored, stored.GetGeneration()
	}
	for _, o := range restored {
		_, err := r.client.ModifyFrom(ctx, o, func(o *unstructured.Unstructured) (bool, error) {
			return kube.Disown(o, original(originals, plan.RefOf(o.Object))), nil
		})
		if err != nil {
			return fmt.Errorf("take our mark off %s: %w", plan.RefOf(o.Object), err)
		}
	}
	return nil
}

// Cleaned is the route as it was before a rollout of the workload, made from the route as it is and what its annotation
// kept. touched tells whether a rollout had changed it.
func Cleaned(route plan.Object, workload string, t plan.Traffic) (cleaned plan.Object, touched bool, err error) {
	u := (&unstructured.Unstructured{Object: route}).DeepCopy()
	touched, err = restore(u, t, kube.OriginalMark(workload), nil)
	return u.Object, touched, err
}

// Splits tells whether the route has a rule that may send to the candidate.
func Splits(route plan.Object, to plan.Traffic) bool {
	u := &unstructured.Unstructured{Object: route}
	rules, err := readRules(u)
	t := within(u, to)
	return err == nil && slices.ContainsFunc(rules, func(r map[string]any) bool { return t.index(backends(r), t.Candidate) >= 0 })
}

func original(originals []plan.Object, ref plan.Ref) plan.Object {
	i := slices.IndexFunc(originals, func(o plan.Object) bool { return plan.RefOf(o) == ref })
	if i < 0 {
		return nil
	}
	return originals[i]
}

// InForce implements traffic.Router.
func (r *Router) InForce(ctx context.Context, t plan.Traffic) error {
	bounded, cancel := r.client.Bounded(ctx, acceptance, errNotAccepted)
	defer cancel()
	for _, ref := range t.Routes {
		var missing string
		err := r.scene.Wait(bounded, 0, func() (bool, error) {
			seen := r.views[ref].One()
			if seen == nil || seen.GetGeneration() < r.written[ref] {
				missing = "the API has not told of the change yet"
				return false, nil
			}
			missing = NotAccepted(seen)
			return missing == "", nil
		})
		if errors.Is(err, errNotAccepted) {
			return fmt.Errorf("%s was written, but %s after %s; look at `kubectl describe %s %s -n %s` and at the gateway's log",
				ref, missing, acceptance, strings.ToLower(ref.Kind), ref.Name, ref.Namespace)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// NotAccepted implements traffic.Acceptance.
func (r *Router) NotAccepted(route plan.Object) string {
	return NotAccepted(&unstructured.Unstructured{Object: route})
}

// NotAccepted says which parent has not accepted the route at its present generation, and why; "" when all have.
func NotAccepted(route *unstructured.Unstructured) string {
	parents, _, _ := unstructured.NestedSlice(route.Object, "spec", "parentRefs")
	statuses, _, _ := unstructured.NestedSlice(route.Object, "status", "parents")
	for _, parent := range parents {
		want, _ := parent.(map[string]any)
		answered := false
		for _, status := range statuses {
			s, _ := status.(map[string]any)
			got, _ := s["parentRef"].(map[string]any)
			if !sameParent(want, got, route.GetNamespace()) {
				continue
			}
			answered = true
			if problem := unmet(s, route.GetGeneration()); problem != "" {
				return fmt.Sprintf("gateway %v has not put it in force: %s", want["name"], problem)
			}
		}
		if !answered {
			return fmt.Sprintf("no controller has answered for gateway %v", want["name"])
		}
	}
	return ""
}

func sameParent(a, b map[string]any, namespace string) bool {
	field := func(m map[string]any, key, missing string) string {
		if s, ok := m[key].(string); ok && s != "" {
			return s
		}
		return missing
	}
	return a["name"] == b["name"] &&
		field(a, "namespace", namespace) == field(b, "namespace", namespace) &&
		field(a, "sectionName", "") == field(b, "sectionName", "") &&
		fmt.Sprint(a["port"]) == fmt.Sprint(b["port"])
}

func unmet(status map[string]any, generation int64) string {
	conditions, _ := status["conditions"].([]any)
	for _, want := range []string{"Accepted", "ResolvedRefs"} {
		i := slices.IndexFunc(conditions, func(c any) bool { m, _ := c.(map[string]any); return m["type"] == want })
		if i < 0 {
			return want + " is not reported"
		}
		c, _ := conditions[i].(map[string]any)
		observed, _ := c["observedGeneration"].(int64)
		switch {
		case observed < generation:
			return want + " is reported for an older generation only"
		case c["status"] != "True":
			return fmt.Sprintf("%s is %v: %v: %v", want, c["status"], c["reason"], c["message"])
		}
	}
	return ""
}
