package app

import (
	"context"
	"errors"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/strategies"
)

// Asked is a gate's answer to one look.
type Asked struct {
	Gate    string        `json:"gate"`
	Track   string        `json:"track"` // whose pods were asked about: candidate, or base when none is there
	Pods    []string      `json:"pods"`
	Verdict gates.Verdict `json:"verdict"`
}

// Query asks one gate of the spec now, about the candidate's pods if there is a candidate, otherwise about the base's.
func Query(ctx context.Context, o Options, name string) (Asked, error) {
	i := slices.IndexFunc(o.Deploy.Spec.Gates, func(g spec.Gate) bool { return g.Name == name })
	if i < 0 {
		var names []string
		for _, g := range o.Deploy.Spec.Gates {
			names = append(names, g.Name)
		}
		return Asked{}, invalid("the spec has no gate %q; it has %v", name, names)
	}
	g := o.Deploy.Spec.Gates[i]
	s, err := connect(o)
	if err != nil {
		return Asked{}, err
	}
	providers, err := o.providers()
	if err != nil {
		return Asked{}, err
	}
	gate, err := o.gate(ctx, g, providers)
	if err != nil {
		return Asked{}, err
	}
	in, err := s.subjects(ctx)
	if err != nil {
		return Asked{}, err
	}
	bound, cancel := clock.WithTimeout(ctx, o.Clock, g.Timeout.Std(), errors.New("no answer within the gate's timeout"))
	defer cancel()
	v, err := gate.Check(bound, in)
	return Asked{Gate: name, Track: in.Candidate.Track, Pods: in.Candidate.Pods, Verdict: v}, err
}

// subjects describes the version that a gate would judge now.
func (s *session) subjects(ctx context.Context) (gates.Input, error) {
	base, err := s.free.Get(ctx, s.workload)
	if err != nil {
		return gates.Input{}, err
	}
	in := gates.Input{Namespace: s.namespace, Name: s.workload.Name, Now: s.now()}
	if in.Base, err = s.subject(ctx, plan.Base, base); err != nil {
		return in, err
	}
	in.Candidate = in.Base
	in.Revision = revision(strategies.WorkloadImages(base.Object))
	if s.workload.Kind != kube.Deployment { // no other has a candidate
		return in, nil
	}
	candidate, err := s.free.Get(ctx, kube.DeploymentRef(s.namespace, strategies.CandidateName(s.workload.Name)))
	if err == nil {
		in.Revision = revision(strategies.WorkloadImages(candidate.Object))
		in.Candidate, err = s.subject(ctx, plan.Candidate, candidate)
		return in, err
	}
	return in, nil //nolint:nilerr // no candidate: the base is asked about
}

func (s *session) subject(ctx context.Context, side plan.Side, deployment *unstructured.Unstructured) (gates.Subject, error) {
	match, _, _ := unstructured.NestedStringMap(deployment.Object, "spec", "selector", "matchLabels")
	pods, err := s.free.List(ctx, "v1", "Pod", s.namespace, labels.SelectorFromSet(match).String())
	sub := gates.Subject{Track: string(side), Service: deployment.GetName()}
	for _, p := range pods {
		if p.GetDeletionTimestamp() == nil {
			sub.Pods = append(sub.Pods, p.GetName())
		}
	}
	slices.Sort(sub.Pods)
	return sub, err
}
