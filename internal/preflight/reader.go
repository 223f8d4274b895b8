package preflight

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
)

// Unseen is something that could not be read.
type Unseen struct {
	Resource string `json:"resource"` // as a Role names it
	Group    string `json:"group,omitempty"`
	Unknown  string `json:"unknown"` // what therefore is not known
	// Forbidden: otherwise the bound on calls was reached.
	Forbidden bool `json:"forbidden"`
}

// question asks for the objects of a kind.
type question struct {
	apiVersion, kind string
	selector         string // of labels; empty asks for all
	// unknown is what is not known without an answer. Empty when a permission that every rollout needs is missing then,
	// which is a finding of its own.
	unknown string
}

// reader asks the cluster, within a bound.
type reader struct {
	client *kube.Client
	left   int // calls that may still be made for questions that can stay open
	unseen []Unseen
}

// must asks what no rollout goes without.
func (r *reader) must(ctx context.Context, q question, namespace string) ([]plan.Object, error) {
	r.left--
	items, err := r.client.List(ctx, q.apiVersion, q.kind, namespace, q.selector)
	if err != nil {
		return nil, err
	}
	list := make([]plan.Object, len(items))
	for i := range items {
		list[i] = items[i].Object
	}
	return list, nil
}

// may asks what can stay open: a kind that the cluster does not have has no objects, a forbidden one is noted.
func (r *reader) may(ctx context.Context, q question, namespace string) ([]plan.Object, error) {
	gvr := kube.GVR(q.apiVersion, q.kind)
	if r.left <= 0 {
		r.unseen = append(r.unseen, Unseen{Resource: gvr.Resource, Group: gvr.Group, Unknown: q.unknown})
		return nil, nil
	}
	list, err := r.must(ctx, q, namespace)
	switch {
	case apierrors.IsNotFound(err), meta.IsNoMatchError(err):
		return nil, nil
	case apierrors.IsForbidden(err):
		if q.unknown != "" {
			r.unseen = append(r.unseen, Unseen{Resource: gvr.Resource, Group: gvr.Group, Unknown: q.unknown, Forbidden: true})
		}
		return nil, nil
	}
	return list, err
}
