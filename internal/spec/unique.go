package spec

import (
	"fmt"
)

// uniqueness finds services that stand in each other's way.
type uniqueness struct {
	f         *documents
	names     map[string]int // line of the first
	workloads map[string]string
}

func newUniqueness(f *documents) uniqueness {
	return uniqueness{f, map[string]int{}, map[string]string{}}
}

// add checks a service against those before it.
func (u uniqueness) add(deploy Deploy, d *decoder) {
	name := deploy.Metadata.Name
	if at, ok := d.spots["metadata.name"]; ok && name != "" {
		if line, twice := u.names[name]; twice {
			u.f.fail(at.node, at.shown, fmt.Sprintf("`%s` is the name of another service, in line %d", name, line), "Give each service a name of its own.")
		} else {
			u.names[name] = at.node.Line
		}
	}
	sp := deploy.Spec
	at, ok := d.spots["spec.workload"]
	if !ok || sp.Workload.Name == "" {
		return
	}
	key := fmt.Sprintf("%s %s %s", sp.Context, sp.Namespace, sp.Workload)
	if other, twice := u.workloads[key]; twice {
		u.f.fail(at.node, at.shown, fmt.Sprintf("%s is deployed by the service `%s` already", sp.Workload, other), "One workload of a namespace belongs to one service.")
	} else {
		u.workloads[key] = name
	}
}
