package spec

import (
	"fmt"
	"slices"
	"strings"
)

// The kinds of workloads. Every strategy can deploy a Deployment; those that change the workload itself can deploy the
// others, too.
const (
	KindDeployment  = "deployment"
	KindStatefulSet = "statefulset"
	KindDaemonSet   = "daemonset"
)

func workloadKinds() []string { return []string{KindDeployment, KindStatefulSet, KindDaemonSet} }

// Workload names the workload to deploy. Its text is kind/name.
type Workload struct {
	Kind string // one of the kinds of workloads
	Name string
}

// String is kind/name, empty for the zero value.
func (w Workload) String() string {
	if w == (Workload{}) {
		return ""
	}
	return w.Kind + "/" + w.Name
}

// MarshalText writes kind/name.
func (w Workload) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// UnmarshalText reads kind/name. Its errors carry a hint.
func (w *Workload) UnmarshalText(text []byte) error {
	kind, name, found := strings.Cut(string(text), "/")
	switch {
	case !found || name == "":
		return hint(fmt.Sprintf("%q is not kind/name", text), "Write %s/NAME, %s/NAME or %s/NAME.", KindDeployment, KindStatefulSet, KindDaemonSet)
	case !slices.Contains(workloadKinds(), kind):
		return hint(fmt.Sprintf("unknown kind of workload `%s`", kind), "The kind must be %s, in lower case.", oneOf(workloadKinds()))
	}
	if err := checkSubdomain(name); err != nil {
		return err
	}
	*w = Workload{Kind: kind, Name: name}
	return nil
}

func (Workload) pattern() string {
	return "^(" + strings.Join(workloadKinds(), "|") + ")/" + subdomainPattern + "$"
}

// article is the kind with its article.
func (w Workload) article() string { return "a " + w.Kind }

// finishKind checks that the strategy can deploy the kind of workload, and that its fields mean something for it.
func (sp *Spec) finishKind(s scope) {
	if !s.ok("workload") || !s.ok("strategy") || sp.Workload.Kind == KindDeployment || sp.Workload == (Workload{}) {
		return
	}
	switch st := sp.Strategy; {
	case !st.InPlace():
		s.fail("strategy."+st.Kind(), fmt.Sprintf("cannot deploy %s: it needs a second set of pods beside the first", sp.Workload.article()),
			"The strategy must be rolling or recreate, which change the pods of the workload itself.")
	case st.Recreate != nil && !st.Recreate.AcceptOutageOnCrash:
		s.fail("strategy.recreate", fmt.Sprintf("%s has no type Recreate: should the runner die between stop and start, no pod runs "+
			"until the next run comes", sp.Workload.article()), "Accept that with acceptOutageOnCrash: true, or choose rolling.")
	case st.Rolling != nil && sp.Workload.Kind == KindStatefulSet:
		sp.finishStateful(s, *st.Rolling)
	case st.Rolling != nil && st.Rolling.MaxSurge.some() && st.Rolling.MaxUnavailable.some():
		s.fail("strategy.rolling.maxSurge", "a daemonset cannot have both maxSurge and maxUnavailable", "Set one of them, and leave the other out.")
	}
}

// finishStateful: a StatefulSet's pods have names, so that none can stand beside the one that it replaces.
func (sp *Spec) finishStateful(s scope, r Rolling) {
	const path = "strategy.rolling."
	if r.MaxSurge != nil {
		s.fail(path+"maxSurge", "a statefulset has no surge: a pod goes before the one that takes its name", "Leave it out.")
	}
	if r.MaxUnavailable != nil {
		s.fail(path+"maxUnavailable", "what a cluster makes of it for a statefulset is not to be relied on: before Kubernetes 1.35 it is dropped without a word",
			"Leave it out: pods are replaced one by one, or as spec.updateStrategy of the statefulset itself says.")
	}
}
