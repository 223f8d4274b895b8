package traffic

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
)

// Can is what a kind of router is able to carry. What only some installations of it can is a fact of the baseline.
type Can struct {
	Weights bool // shares of requests
	Parts   bool // shares that are not whole percents
	Matches bool // requests with a header or a cookie
	// HeadersOnly narrows Matches: a cookie cannot be asked for.
	HeadersOnly bool

	Cohorts bool // one version per user
	Mirror  bool // a copy of requests
	HashKey bool // shares by the hash of a header
	Preview bool // a copy of a route under a hostname of its own
}

// Kind is one kind of router: what it can, which objects it edits, and how. All of it is pure.
type Kind interface {
	// Name is the router's block in spec.traffic.
	Name() string
	// Can says what every installation of this kind is able to.
	Can(t spec.Traffic) Can
	// Routes are the objects that the block names; those without a namespace of their own are in the given one.
	Routes(t spec.Traffic, namespace string) []plan.Ref
	Editor
}

// Editor changes the objects by which a router divides requests. It finds what is ours by reference, never by index, and
// keeps every field that it does not know. mark is the annotation that keeps what it needs to go back.
type Editor interface {
	// Split changes a route so that requests are divided as s says, which is not nothing, and reports whether anything
	// changed. Of its own result it changes nothing: that is how drift is noticed.
	Split(route *unstructured.Unstructured, t plan.Traffic, mark string, s plan.Split) (changed bool, err error)
	// Restore takes the candidate and our mark out of a route, and reports whether anything changed. before is the
	// route as it was, or nil where nobody knows.
	Restore(route *unstructured.Unstructured, t plan.Traffic, mark string, before plan.Object) (changed bool, err error)
	// Reaches tells whether some requests may come to the candidate.
	Reaches(route plan.Object, t plan.Traffic) bool
	// Share is the part of the requests, or of the users, that the route sends to the candidate; rings do not count.
	Share(route plan.Object, t plan.Traffic) plan.Share
}

// Finder is a kind that has to know more objects than the block names: lists of them are read, and Find picks those to edit.
type Finder interface {
	// Lists are the kinds of objects to read in the workload's namespace.
	Lists(t spec.Traffic) []plan.Ref // APIVersion and Kind
	// Find gives the further routes among all objects that were read. An error is one of the spec: it says what to mend.
	Find(t spec.Traffic, routes, all []plan.Object) ([]plan.Object, error)
}

// Specific is a kind that is another one for each spec, such as a router by description.
type Specific interface {
	// Of is the kind for a spec's block.
	Of(t spec.Traffic) Kind
	// From is the kind for the traffic of a plan, in which its Make wrote down what it has to know.
	From(t plan.Traffic) (Kind, error)
}

// Maker is a kind for which a rollout makes routes, or other objects, of its own.
type Maker interface {
	// Make gives the objects that a rollout needs whose splits have at most what most has, and adds those of them that
	// Split edits to t.Own. They are created with the candidate, before any split, and removed with it, after all.
	Make(t *plan.Traffic, b plan.Baseline, most plan.Split) ([]plan.Object, error)
}

// Checker is a kind that knows whether a route has room for a split before it is tried.
type Checker interface {
	// Problems says what of the routes cannot carry the split, or who loses by it, and what to do. all are the objects of
	// the same kinds that were read, the routes among them; b says what the installation can.
	Problems(routes, all []plan.Object, t plan.Traffic, b plan.Baseline, most plan.Split) []Problem
}

// Problem is what is wrong with a route for a split.
type Problem struct {
	Object       plan.Ref
	Text, Remedy string
	Warning      bool // it may be meant so
}

// Acceptance is a kind whose routes a gateway has to accept.
type Acceptance interface {
	// NotAccepted says which gateway has not accepted a route as it is now, and why; "" when all have.
	NotAccepted(route plan.Object) string
}

// Explainer is a kind that says in its own words what differs between a route and a split.
type Explainer interface {
	// Differs is the first difference; "" for none.
	Differs(route *unstructured.Unstructured, t plan.Traffic, mark string, s plan.Split) string
}

// Cleaned is a route as it was before a rollout of the workload, made from the route as it is and what its annotation kept.
func Cleaned(kind Editor, route plan.Object, workload string, t plan.Traffic) (plan.Object, error) {
	u := (&unstructured.Unstructured{Object: route}).DeepCopy()
	_, err := kind.Restore(u, t, kube.OriginalMark(workload), nil)
	return u.Object, err
}

// Most is what the splits of a plan have at most: the greatest weight and mirror, and every ring and cohorts.
func Most(p plan.Plan) plan.Split {
	var most plan.Split
	for _, step := range p.Steps {
		for _, op := range step.Do {
			if op.Kind != plan.SetSplit {
				continue
			}
			most.Weight, most.Mirror = max(most.Weight, op.Weight), max(most.Mirror, op.Mirror)
			if len(op.Ring) > 0 {
				most.Ring = op.Ring
			}
			if op.Cohorts != nil {
				most.Cohorts = op.Cohorts
			}
		}
	}
	return most
}
