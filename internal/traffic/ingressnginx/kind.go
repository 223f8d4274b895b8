package ingressnginx

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/internal/traffic"
)

// Name is the router's name in the catalog and in the spec.
const Name = "ingressNginx"

// Kind splits Ingresses by a second one with canary annotations.
type Kind struct{}

var (
	_ traffic.Kind      = Kind{}
	_ traffic.Maker     = Kind{}
	_ traffic.Checker   = Kind{}
	_ traffic.Explainer = Kind{}
)

// Name implements traffic.Kind.
func (Kind) Name() string { return Name }

// Can implements traffic.Kind.
func (Kind) Can(spec.Traffic) traffic.Can {
	return traffic.Can{Weights: true, Parts: true, Matches: true, Mirror: true}
}

// Routes implements traffic.Kind.
func (Kind) Routes(t spec.Traffic, namespace string) []plan.Ref {
	return []plan.Ref{{APIVersion: version, Kind: kindIngress, Namespace: namespace, Name: t.IngressNginx.Ingress}}
}

// Split implements traffic.Editor.
func (Kind) Split(route *unstructured.Unstructured, t plan.Traffic, mark string, s plan.Split) (bool, error) {
	ref := plan.RefOf(route.Object)
	if s.Cohorts != nil {
		return false, fmt.Errorf("%s cannot keep each user on one version: canary annotations set no cookies; leave sticky out or use another router", ref)
	}
	wanted, err := canary(s)
	if err != nil {
		return false, fmt.Errorf("%s cannot tell requests with %s apart: %w", ref, plan.RingText(s.Ring), err)
	}
	if !slices.Contains(t.Own, ref) {
		return splitUsers(route, t, mark, s)
	}
	if !sendsTo(pathsOf(route.Object), t.Candidate) {
		return false, fmt.Errorf("%s has no path that sends to Service %s any more: somebody changed it during the rollout", ref, t.Candidate)
	}
	return annotate(route, wanted), nil
}

// splitUsers checks that there is something to divide, and copies requests if it is to.
func splitUsers(route *unstructured.Unstructured, t plan.Traffic, mark string, s plan.Split) (bool, error) {
	if err := unsplittable(route.Object, t); err != nil {
		return false, err
	}
	wanted, err := mirrorTo(route.Object, t, s.Mirror)
	if err != nil {
		return false, fmt.Errorf("%s cannot copy requests: %w", plan.RefOf(route.Object), err)
	}
	if wanted == nil {
		return restoreMirror(route, t, mark, nil), nil
	}
	return setMirror(route, t, mark, wanted)
}

// unsplittable says why a canary Ingress would find nothing to stand beside.
func unsplittable(route plan.Object, t plan.Traffic) error {
	switch {
	case sendsTo(pathsOf(route), t.Base):
		return nil
	case defaultService(route) == t.Base:
		return fmt.Errorf("%s sends to Service %s by its defaultBackend only, and a canary Ingress stands beside the path of a rule; "+
			"add a rule with the path /", plan.RefOf(route), t.Base)
	}
	return fmt.Errorf("%s has no path that sends to Service %s; name another Ingress in spec.traffic.ingressNginx, or the Service in spec.service",
		plan.RefOf(route), t.Base)
}

// annotate gives an Ingress exactly these canary annotations, and reports whether that changed it.
func annotate(route *unstructured.Unstructured, wanted map[string]string) bool {
	return reannotate(route, func(all map[string]string) {
		for _, key := range canaryKeys() {
			delete(all, key)
		}
		maps.Copy(all, wanted)
	})
}

// reannotate lets change have the annotations, and reports whether they are others then.
func reannotate(route *unstructured.Unstructured, change func(map[string]string)) bool {
	before := route.GetAnnotations()
	after := maps.Clone(before)
	if after == nil {
		after = map[string]string{}
	}
	change(after)
	if maps.Equal(before, after) {
		return false
	}
	if len(after) == 0 {
		after = nil
	}
	route.SetAnnotations(after)
	return true
}

// Restore implements traffic.Editor.
func (Kind) Restore(route *unstructured.Unstructured, t plan.Traffic, mark string, before plan.Object) (bool, error) {
	if slices.Contains(t.Own, plan.RefOf(route.Object)) {
		return annotate(route, map[string]string{keyCanary: on}), nil
	}
	return restoreMirror(route, t, mark, before), nil
}

// Reaches implements traffic.Editor.
func (Kind) Reaches(route plan.Object, t plan.Traffic) bool {
	a := annotationsOf(route)
	switch {
	case mirrorsTo(a, t):
		return true
	case !sendsTo(pathsOf(route), t.Candidate):
		return false
	}
	weight, _ := weightIn(a)
	return a[keyCanary] != on || weight > 0 || a[keyHeader] != "" || a[keyCookie] != ""
}

// Share implements traffic.Editor.
func (Kind) Share(route plan.Object, t plan.Traffic) plan.Share {
	a := annotationsOf(route)
	if a[keyCanary] != on || !sendsTo(pathsOf(route), t.Candidate) {
		return 0
	}
	weight, total := weightIn(a)
	return plan.Share(int64(plan.All) * int64(weight) / int64(total))
}

// Differs implements traffic.Explainer: it names the annotation, for nothing else of an Ingress is ours.
func (k Kind) Differs(route *unstructured.Unstructured, t plan.Traffic, mark string, s plan.Split) string {
	should := route.DeepCopy()
	if _, err := k.Split(should, t, mark, s); err != nil {
		return err.Error()
	}
	have, want := route.GetAnnotations(), should.GetAnnotations()
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if present, there := have[key]; !there {
			return fmt.Sprintf("the annotation %s: %q is gone", key, want[key])
		} else if present != want[key] {
			return fmt.Sprintf("the annotation %s is %q, not %q", key, present, want[key])
		}
	}
	for _, key := range slices.Sorted(maps.Keys(have)) {
		if _, there := want[key]; !there {
			return fmt.Sprintf("it has the annotation %s: %q", key, have[key])
		}
	}
	return ""
}

// errSeveral is a ring that asks for more than one thing.
var errSeveral = errors.New("the annotations know one header or one cookie, and several would be either of them, not all; name one in spec.strategy.canary.internal")
