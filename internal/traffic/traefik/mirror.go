package traefik

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
)

// throughMirror makes the base's entry point to our TraefikService that mirrors. Traefik takes name and weight of such an entry;
// the other fields stay for the way back.
func throughMirror(o *unstructured.Unstructured, t plan.Traffic) error {
	entries := entriesOf(o.Object)
	i := slices.IndexFunc(entries, func(e map[string]any) bool { return isService(e, t, t.Base) })
	entries[i] = with(with(entries[i], "name", mirrorName(t)), "kind", kindService)
	return set(o, entries, "spec", "weighted", "services")
}

// mirrorBeside adds the candidate to the mirrors of a TraefikService whose main service is the base.
func mirrorBeside(o *unstructured.Unstructured, t plan.Traffic, s plan.Split) error {
	main := mapAt(o.Object, "spec", "mirroring")
	mirrors := append(listAt(main, "mirrors"), mirrorOf(main, t, s))
	return set(o, mirrors, "spec", "mirroring", "mirrors")
}

// mirrorOf is the candidate's entry, with what the base's says of its port, scheme and transport. By the Service's own address
// it is a mirror even while no pod is ready; otherwise Traefik would build nothing of what it stands in.
func mirrorOf(main map[string]any, t plan.Traffic, s plan.Split) map[string]any {
	e := with(main, "name", t.Candidate)
	for _, field := range []string{"mirrors", "mirrorBody", "maxBodySize", "sticky", "weight"} {
		e = with(e, field, nil)
	}
	if _, said := e["nativeLB"]; !said {
		e = with(e, "nativeLB", true)
	}
	return with(e, "percent", int64(s.Mirror/plan.OnePercent))
}

// splitMirror edits our own TraefikService that mirrors.
func splitMirror(o *unstructured.Unstructured, t plan.Traffic, mark string, s plan.Split) (bool, error) {
	if s.Mirror == 0 {
		return restore(o, t, mark, nil)
	}
	return splitService(o, t, mark, s)
}

// unmirrored takes the candidate out of the mirrors.
func unmirrored(o *unstructured.Unstructured, t plan.Traffic, m memo) error {
	mirrors := listAt(o.Object, "spec", "mirroring", "mirrors")
	left := slices.DeleteFunc(slices.Clone(mirrors), func(e map[string]any) bool { return isService(e, t, t.Candidate) })
	switch {
	case len(left) == len(mirrors):
		return nil
	case len(left) == 0 && !m.Mirrors:
		unstructured.RemoveNestedField(o.Object, "spec", "mirroring", "mirrors")
		return nil
	}
	return set(o, left, "spec", "mirroring", "mirrors")
}

// mirrorFor is our TraefikService that mirrors, as it is made: it sends to the base, and copies nothing yet. A headless Service
// has no address of its own.
func mirrorFor(service plan.Object, t plan.Traffic, headless bool) plan.Object {
	entries := entriesOf(service)
	i := slices.IndexFunc(entries, func(e map[string]any) bool { return isService(e, t, t.Base) })
	if i < 0 {
		return nil
	}
	main := with(entries[i], "weight", nil)
	if headless {
		main = with(main, "nativeLB", false)
	}
	return made(service, kindService, mirrorName(t), map[string]any{"mirroring": main})
}
