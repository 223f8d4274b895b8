package spec

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Bounds of a document with its aliases followed: more than any spec needs,
// and little enough to walk several times.
const (
	maxDepth = 50
	maxNodes = 100_000
	maxName  = 256 // characters of a field's name: it is repeated in every path below
)

// linter finds what is wrong with a document whatever its types: keys that are
// there twice, tags, merge keys, values that lost their quotes.
type linter struct {
	file     string
	problems Problems
	bad      map[*yaml.Node]bool // reported: nothing more is to be said about them
	nodes    int
	stopped  bool // too deep or too large: nothing more may walk the document
}

func newLinter(file string) *linter { return &linter{file: file, bad: map[*yaml.Node]bool{}} }

func (l *linter) report(n *yaml.Node, path, message, hint string) {
	l.problems = append(l.problems, Problem{l.file, n.Line, n.Column, path, message, hint})
	l.bad[n] = true
}

// walk checks a node and everything below it.
func (l *linter) walk(n *yaml.Node, path string, depth int) {
	if l.nodes++; l.nodes > maxNodes || depth > maxDepth {
		if !l.stopped {
			l.report(n, "", "the document is too large or too deep, with its aliases followed", "Write out what the aliases stand for.")
		}
		l.stopped = true
	}
	if l.stopped {
		return
	}
	switch n.Kind {
	case yaml.AliasNode:
		l.walk(n.Alias, path, depth+1)
	case yaml.SequenceNode:
		l.tag(n, path)
		for i, child := range n.Content {
			l.walk(child, fmt.Sprintf("%s[%d]", path, i), depth+1)
		}
	case yaml.MappingNode:
		l.tag(n, path)
		l.mapping(n, path, depth)
	case yaml.ScalarNode:
		l.scalar(n, path)
	}
}

// mapping checks the keys, and the values below them.
func (l *linter) mapping(n *yaml.Node, path string, depth int) {
	if len(n.Content) > 0 && n.Style&yaml.FlowStyle != 0 && n.Content[0].Kind == yaml.MappingNode {
		l.report(n, path, "unquoted `{{` is read as the start of a mapping", "Quote the whole value.")
		return
	}
	lines := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if len(key.Value) > maxName {
			l.report(key, path, fmt.Sprintf("the name of a field has more than %d characters", maxName), "Is a quote or colon missing?")
			l.stopped = true
			return
		}
		if key.Kind != yaml.ScalarNode {
			l.report(key, path, "the name of a field must be text", "Write it out.")
			continue
		}
		below := join(path, key.Value)
		switch first, twice := lines[key.Value]; {
		case twice:
			l.report(key, below, fmt.Sprintf("`%s` is there twice, first in line %d", key.Value, first), "Keep one of them.")
		case key.ShortTag() == "!!merge":
			l.report(key, path, "merge keys (`<<`) are not part of YAML 1.2", "Write the fields out, or use an alias for a whole value.")
		default:
			lines[key.Value] = key.Line
			l.scalar(key, below)
		}
		l.walk(n.Content[i+1], below, depth+1)
	}
}

// scalar checks a text or key.
func (l *linter) scalar(n *yaml.Node, path string) {
	l.tag(n, path)
	if isPlain(n) && strings.Contains(n.Value, "${") {
		l.report(n, path, "unquoted `${`", fmt.Sprintf("Quote the whole value: %q.", shorten(n.Value)))
	}
}

// tag refuses types that a spec has no use for.
func (l *linter) tag(n *yaml.Node, path string) {
	switch n.ShortTag() {
	case "!!str", "!!int", "!!float", "!!bool", "!!null", "!!timestamp", "!!map", "!!seq":
	case "!!merge": // reported as a key
	default:
		l.report(n, path, fmt.Sprintf("the tag `%s` means nothing here", n.Tag), "Remove it.")
	}
}

// join is the path of a field or element below a path.
func join(path, name string) string {
	if path == "" || name == "" || strings.HasPrefix(name, "[") {
		return path + name
	}
	return path + "." + name
}
