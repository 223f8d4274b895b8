package plan

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Ref names an object of the cluster.
type Ref struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace"`
	Name       string `json:"name"`
}

// String is kind/name, as kubectl writes it.
func (r Ref) String() string { return r.Kind + "/" + r.Name }

// Object is any Kubernetes object, unknown fields included.
type Object = map[string]any

// Baseline is what was observed before anything was touched. It is saved with the rollout: a resumed run compiles its
// plan from here, not from the half-changed cluster.
type Baseline struct {
	Workload Object   `json:"workload"`
	Service  Object   `json:"service,omitempty"`
	Routes   []Object `json:"routes,omitempty"`
	// Scaler is the HorizontalPodAutoscaler or ScaledObject that sizes the workload.
	Scaler Object `json:"scaler,omitempty"`
	// Selecting holds the NetworkPolicies, PodDisruptionBudgets and other Services of the namespace that select the
	// workload's pods.
	Selecting []Object `json:"selecting,omitempty"`
	// Size is the number of pods that the base runs.
	Size int `json:"size"`
	// Features are the supportedFeatures of the routes' GatewayClasses.
	Features []string `json:"features,omitempty"`
}

// RefOf names an object that is held as data.
func RefOf(o Object) Ref {
	meta, _ := o["metadata"].(map[string]any)
	str := func(m map[string]any, key string) string { s, _ := m[key].(string); return s }
	return Ref{APIVersion: str(o, "apiVersion"), Kind: str(o, "kind"), Namespace: str(meta, "namespace"), Name: str(meta, "name")}
}

// Traffic says which routes are split between which Services.
type Traffic struct {
	Router    string   `json:"router"` // as named in the catalog: gatewayAPI, ...
	Routes    []Ref    `json:"routes"`
	Own       []Ref    `json:"own,omitempty"`     // routes that the rollout makes itself, beside the user's
	Rules     []string `json:"rules,omitempty"`   // names of rules; none means every rule that sends to the base's Service
	Subsets   []string `json:"subsets,omitempty"` // of the base's Service, where the router knows parts of one; none means all
	Namespace string   `json:"namespace"`         // of the Services
	Base      string   `json:"base"`              // Service of the base
	Candidate string   `json:"candidate"`         // Service of the candidate
	// Selectors are those of the two Services, where the router is ServiceRouter.
	Selectors map[Side]map[string]string `json:"selectors,omitempty"`
	// Description is what a router by description has to know, as its kind wrote it.
	Description json.RawMessage `json:"description,omitempty"`
}

// ServiceRouter is the router without a route: the selector of the base's Service says which side it stands before.
const ServiceRouter = "service"

// BySelector tells that the Service itself moves the requests, not a route.
func (t *Traffic) BySelector() bool { return t != nil && t.Router == ServiceRouter }

// CandidateService is the name of the Service before the candidate; "" without traffic.
func (t *Traffic) CandidateService() string {
	if t == nil {
		return ""
	}
	return t.Candidate
}

// Objects are the objects that a plan's ops speak of.
type Objects struct {
	Workload Ref      `json:"workload"`
	Traffic  *Traffic `json:"traffic,omitempty"`
	Scaler   *Ref     `json:"scaler,omitempty"`
	// Create is what the candidate consists of: its Deployment first, then its Service and copied policies.
	Create []Object `json:"create,omitempty"`
	// Preview is what lets people meet the candidate before users do; nothing of it is left after the switch.
	Preview []Object `json:"preview,omitempty"`
	// Templates are the pod templates of the two versions.
	Templates map[Side]Object `json:"templates"`
	// Selectors find the pods of each side.
	Selectors map[Side]map[string]string `json:"selectors"`
	// Apart, if set, is the label that only the candidate's pods have, where the base's selector matches them, too.
	Apart string `json:"apart,omitempty"`
	// Originals are the user's objects that the rollout changes, as they were.
	Originals []Object `json:"originals,omitempty"`
	Size      int      `json:"size"` // pods of the base at the start
}

// CandidateRef names the candidate's Deployment.
func (o Objects) CandidateRef() (Ref, bool) {
	if len(o.Create) == 0 {
		return Ref{}, false
	}
	return RefOf(o.Create[0]), true
}

// InPlace tells that there is no candidate beside the base: the workload itself goes from one version to the other, pod by
// pod or all at once.
func (o Objects) InPlace() bool { return len(o.Create) == 0 && o.Traffic == nil }

// ByReplicas tells that one Service selects the pods of base and candidate, so that the share of the requests is that of the
// pods.
func (o Objects) ByReplicas() bool { return o.Apart != "" }

// PodSelector is the label selector of one side's pods, as Kubernetes reads it.
func (o Objects) PodSelector(side Side) string {
	var terms []string
	for _, key := range slices.Sorted(maps.Keys(o.Selectors[side])) {
		terms = append(terms, key+"="+o.Selectors[side][key])
	}
	if o.Apart != "" && side == Base {
		terms = append(terms, "!"+o.Apart)
	}
	return strings.Join(terms, ",")
}

// Original finds the object as it was before the rollout.
func (o Objects) Original(ref Ref) (Object, bool) {
	for _, original := range o.Originals {
		if RefOf(original) == ref {
			return original, true
		}
	}
	return nil, false
}

// SameImages tells whether two images by container are equal.
func SameImages(a, b map[string]string) bool { return maps.Equal(a, b) }

// String is the target in a person's words: deployment/checkout of shop to checkout=registry/checkout:v2.
func (t Target) String() string {
	var images []string
	for _, container := range slices.Sorted(maps.Keys(t.Images)) {
		images = append(images, container+"="+t.Images[container])
	}
	return fmt.Sprintf("%s/%s of namespace %s with %s", strings.ToLower(t.Workload.Kind), t.Workload.Name, t.Namespace, strings.Join(images, ", "))
}
