package strategies

import (
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/tidegate/tidegate/internal/plan"
)

func object(t *testing.T, text string) plan.Object {
	t.Helper()
	var o plan.Object
	if err := yaml.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	return o
}

func list(t *testing.T, texts ...string) []plan.Object {
	t.Helper()
	var all []plan.Object
	for _, text := range texts {
		all = append(all, object(t, text))
	}
	return all
}

// at walks into a plan's object.
func at(o any, path ...any) any {
	for _, p := range path {
		switch key := p.(type) {
		case string:
			m, _ := o.(map[string]any)
			o = m[key]
		case int:
			l, _ := o.([]any)
			if key >= len(l) {
				return nil
			}
			o = l[key]
		}
	}
	return o
}
