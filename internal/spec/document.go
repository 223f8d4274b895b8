package spec

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// overlaysPath is where overlays stand in a document.
const overlaysPath = "spec.environments"

// maxEnvironments bounds the work of checking them all.
const maxEnvironments = 100

// inOverlay reports whether a path is inside of an overlay.
func inOverlay(path string) bool { return strings.HasPrefix(path, overlaysPath+".") }

// documents is a parsed file: what Load and Check have in common.
type documents struct {
	file     string
	bad      map[*yaml.Node]bool
	docs     []*yaml.Node // the mappings that are Deploys
	problems Problems
	stopped  bool // too much is wrong to go on
	// anyEnvironment lets a document without environments be asked for any.
	anyEnvironment bool
	wait           bool // a job stays while an approval waits
}

// open parses a file, lints its documents and keeps those that are Deploys.
func open(src []byte, o Options) *documents {
	f := &documents{file: o.File, anyEnvironment: o.AnyEnvironment, wait: o.Wait}
	if f.file == "" {
		f.file = FileName
	}
	roots, problems := readDocuments(src, f.file)
	l := newLinter(f.file)
	for _, root := range roots {
		l.walk(root, "", 0)
	}
	f.bad, f.stopped = l.bad, l.stopped
	f.problems = append(problems, l.problems...)
	if f.stopped {
		return f
	}
	for _, root := range roots {
		if root = resolved(root); f.isDeploy(root) {
			f.docs = append(f.docs, root)
		}
	}
	f.keep(o.Name)
	return f
}

func (f *documents) fail(n *yaml.Node, path, message, hint string) {
	f.problems = append(f.problems, Problem{f.file, n.Line, n.Column, path, message, hint})
}

// isDeploy reports whether a document is a Deploy, or meant as one.
func (f *documents) isDeploy(root *yaml.Node) bool {
	if root.Kind != yaml.MappingNode {
		f.fail(root, "", "the document must be a Deploy: it is "+describe(root), "Start it with apiVersion: "+APIVersion+" and kind: "+Kind+".")
		return false
	}
	kind := lookup(root, "kind")
	if kind == nil || kind.Kind != yaml.ScalarNode || strings.EqualFold(kind.Value, Kind) || nearest(kind.Value, []string{Kind}) != "" {
		return true
	}
	f.fail(kind, "kind", fmt.Sprintf("the document is a %s, not a %s", shorten(kind.Value), Kind), "A spec file has Deploys only; Kubernetes objects belong into files of their own.")
	return false
}

// keep drops the services of other names.
func (f *documents) keep(name string) {
	if name == "" || len(f.docs) == 0 {
		return
	}
	var names []string
	first := f.docs[0]
	f.docs = slices.DeleteFunc(f.docs, func(root *yaml.Node) bool {
		n := lookup(lookup(root, "metadata"), "name")
		if n == nil {
			return false // it may be the one: its mistakes are to be seen
		}
		names = append(names, n.Value)
		return n.Value != name
	})
	if len(f.docs) == 0 {
		f.fail(first, "", fmt.Sprintf("no service is called `%s`%s", name, didYouMean(name, names)), "The file has "+list(names, ", ")+".")
	}
}

// overlays is a document's overlays by name.
func overlays(root *yaml.Node) map[string]*yaml.Node {
	return overlaysIn(lookup(lookup(root, "spec"), "environments"))
}

// overlaysIn is the overlays of a node of environments.
func overlaysIn(n *yaml.Node) map[string]*yaml.Node {
	found := map[string]*yaml.Node{}
	if n == nil || n.Kind != yaml.MappingNode {
		return found
	}
	for i := 0; i+1 < len(n.Content) && len(found) < maxEnvironments; i += 2 {
		if key := n.Content[i]; key.Kind == yaml.ScalarNode {
			found[key.Value] = resolved(n.Content[i+1])
		}
	}
	return found
}

// environments is the sorted names of all documents' overlays.
func (f *documents) environments() []string {
	all := map[string]bool{}
	for _, root := range f.docs {
		for name := range overlays(root) {
			all[name] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// choose reports documents to which a chosen environment does not apply.
func (f *documents) choose(environment string) {
	for _, root := range f.docs {
		names := slices.Sorted(maps.Keys(overlays(root)))
		at := lookup(lookup(root, "spec"), "environments")
		if at == nil {
			at = root
		}
		switch {
		case len(names) == 0 && f.anyEnvironment:
		case len(names) == 0 && environment != "":
			f.fail(at, "", fmt.Sprintf("the environment `%s` was asked for, and none is defined", environment),
				fmt.Sprintf("Leave --environment out, or add spec.environments.%s: {}.", environment))
		case len(names) > 0 && environment == "":
			f.fail(at, overlaysPath, "no environment was chosen", "Choose one with --environment: "+oneOf(names)+".")
		case len(names) > 0 && !slices.Contains(names, environment):
			f.fail(at, overlaysPath, fmt.Sprintf("unknown environment `%s`%s", environment, didYouMean(environment, names)), "It must be "+oneOf(names)+".")
		}
	}
}

// checkBases finds mistakes of documents with overlays as they stand: where an
// overlay replaces a part, the mistakes below are seen only here.
func (f *documents) checkBases() {
	for _, root := range f.docs {
		if len(overlays(root)) > 0 {
			d := newDecoder(f.file, f.bad, nil, true)
			var deploy Deploy
			d.decode(place{node: root}, rule{}, reflect.ValueOf(&deploy).Elem())
			f.problems = append(f.problems, d.problems...)
		}
	}
}

// decode decodes every document that the environment applies to.
func (f *documents) decode(environment string) File {
	var file File
	u := newUniqueness(f)
	for _, root := range f.docs {
		over, ok := overlays(root)[environment]
		if !ok && len(overlays(root)) > 0 {
			continue
		}
		m := &merger{file: f.file, bad: f.bad, origin: map[*yaml.Node]string{}}
		if ok {
			root = m.withOverlay(root, over, overlaysPath+"."+environment)
		}
		d := newDecoder(f.file, f.bad, m.origin, false)
		d.wait = f.wait
		deploy := Deploy{Environment: environment}
		d.decode(place{node: root}, rule{}, reflect.ValueOf(&deploy).Elem())
		if !ok {
			deploy.Environment = ""
		}
		f.problems = append(f.problems, append(m.problems, d.problems...)...)
		u.add(deploy, d)
		file.Deploys = append(file.Deploys, deploy)
	}
	return file
}
