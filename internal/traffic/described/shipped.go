package described

import (
	"embed"
	"fmt"
	"path"

	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/internal/traffic"
)

// Custom is the name of the router that the spec itself describes.
const Custom = "custom"

// files are the descriptions, by the name of the router.
//
//go:embed routers/*.yaml
var files embed.FS

// Kinds are the routers by description, the spec's own one last.
func Kinds() []traffic.Kind {
	named := func(name string) map[string]string { return map[string]string{"Action": name} }
	return []traffic.Kind{
		shipped("alb", func(t spec.Traffic) (string, map[string]string) {
			if t.ALB == nil {
				return "", named("")
			}
			return t.ALB.Ingress, named(t.ALB.Action)
		}),
		shipped("contour", object(func(t spec.Traffic) *spec.Contour { return t.Contour }, func(c spec.Contour) string { return c.HTTPProxy })),
		shipped("apisix", object(func(t spec.Traffic) *spec.APISIX { return t.APISIX }, func(a spec.APISIX) string { return a.Route })),
		shipped("kong", object(func(t spec.Traffic) *spec.Kong { return t.Kong }, func(k spec.Kong) string { return k.HTTPRoute })),
		shipped("linkerd", object(func(t spec.Traffic) *spec.Linkerd { return t.Linkerd }, func(l spec.Linkerd) string { return l.HTTPRoute })),
		shipped("smi", object(func(t spec.Traffic) *spec.SMI { return t.SMI }, func(s spec.SMI) string { return s.TrafficSplit })),
		Kind{name: Custom},
	}
}

// object reads the object's name out of a block that has nothing else.
func object[B any](block func(spec.Traffic) *B, name func(B) string) func(spec.Traffic) (string, map[string]string) {
	return func(t spec.Traffic) (string, map[string]string) {
		if b := block(t); b != nil {
			return name(*b), nil
		}
		return "", nil
	}
}

// shipped is the router of a file. Files are part of the binary and read by its tests, so that they can always be read.
func shipped(name string, block func(spec.Traffic) (string, map[string]string)) Kind {
	text, err := files.ReadFile(path.Join("routers", name+".yaml"))
	if err != nil {
		panic(fmt.Sprintf("described: %v", err))
	}
	d, err := read(text)
	if err != nil {
		panic(fmt.Sprintf("described: %s: %v", name, err))
	}
	return Kind{name: name, block: block, description: d}
}
