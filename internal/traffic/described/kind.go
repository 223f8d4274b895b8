package described

import (
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/internal/traffic"
)

// Kind is a router by description.
type Kind struct {
	name string
	// block reads the object's name and further values for paths out of the spec; custom reads all of it.
	block func(t spec.Traffic) (object string, values map[string]string)
	// description is that of the file, or of the spec once Of knows it.
	description Description
}

var (
	_ traffic.Kind       = Kind{}
	_ traffic.Specific   = Kind{}
	_ traffic.Maker      = Kind{}
	_ traffic.Checker    = Kind{}
	_ traffic.Acceptance = Kind{}
)

// Name implements traffic.Kind.
func (k Kind) Name() string { return k.name }

// Can implements traffic.Kind. A custom router whose description nobody knows yet can all that one could say.
func (k Kind) Can(t spec.Traffic) traffic.Can {
	if k.name == Custom && t.Custom == nil {
		return traffic.Can{Weights: true, Parts: true, Matches: true, Mirror: true}
	}
	d := k.describe(t)
	return traffic.Can{Weights: true, Parts: d.Weights.Parts, Mirror: d.Mirror != nil,
		Matches: d.Matches != nil, HeadersOnly: d.Matches != nil && d.Matches.Cookie == ""}
}

// describe is the description for a spec's block.
func (k Kind) describe(t spec.Traffic) Description {
	if t.Custom != nil && k.name == Custom {
		return Description{Custom: *t.Custom}
	}
	d := k.description
	if k.block != nil {
		d.Object.Name, d.Values = k.block(t)
	}
	return d
}

// Of implements traffic.Specific.
func (k Kind) Of(t spec.Traffic) traffic.Kind {
	k.description = k.describe(t)
	return k
}

// From implements traffic.Specific.
func (k Kind) From(t plan.Traffic) (traffic.Kind, error) {
	if err := json.Unmarshal(t.Description, &k.description); err != nil {
		return nil, fmt.Errorf("the plan's description of the router %s cannot be read: %w", k.name, err)
	}
	return k, nil
}

// Make implements traffic.Maker. Nothing is made: the plan keeps the description, so that a rollout ends by the one with
// which it began, whichever version ends it and whatever the spec says then.
func (k Kind) Make(t *plan.Traffic, _ plan.Baseline, _ plan.Split) ([]plan.Object, error) {
	var err error
	t.Description, err = json.Marshal(k.description)
	return nil, err
}

// Routes implements traffic.Kind.
func (k Kind) Routes(t spec.Traffic, namespace string) []plan.Ref {
	o := k.describe(t).Object
	if o.Namespace != "" {
		namespace = o.Namespace
	}
	return []plan.Ref{{APIVersion: o.APIVersion, Kind: o.Kind, Namespace: namespace, Name: o.Name}}
}

func (k Kind) editor(o plan.Object, t plan.Traffic) (editor, error) {
	return k.description.editor(t, plan.RefOf(o).Name)
}

// Split implements traffic.Editor.
func (k Kind) Split(o *unstructured.Unstructured, t plan.Traffic, mark string, s plan.Split) (bool, error) {
	e, err := k.editor(o.Object, t)
	if err != nil {
		return false, err
	}
	return e.split(o, t, mark, s)
}

// Restore implements traffic.Editor.
func (k Kind) Restore(o *unstructured.Unstructured, t plan.Traffic, mark string, before plan.Object) (bool, error) {
	e, err := k.editor(o.Object, t)
	if err != nil {
		return false, err
	}
	return e.restore(o, t, mark, before)
}
