package spec

import (
	"fmt"
	"strings"
)

// KindDeployment is the kind of workload that every strategy can deploy.
const KindDeployment = "deployment"

// Workload names the workload to deploy. Its text is kind/name.
type Workload struct {
	Kind string // always KindDeployment
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
		return hint(fmt.Sprintf("%q is not kind/name", text), "Write %s/NAME.", KindDeployment)
	case strings.EqualFold(kind, "statefulset"), strings.EqualFold(kind, "daemonset"):
		return hint(fmt.Sprintf("a %s cannot be deployed yet", strings.ToLower(kind)), "The kind must be %s.", KindDeployment)
	case kind != KindDeployment:
		return hint(fmt.Sprintf("unknown kind of workload `%s`", kind), "The kind must be %s, in lower case.", KindDeployment)
	}
	if err := checkSubdomain(name); err != nil {
		return err
	}
	*w = Workload{Kind: kind, Name: name}
	return nil
}

func (Workload) pattern() string { return "^" + KindDeployment + "/" + subdomainPattern + "$" }
