package spec

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
)

// queryData is what a query's template can name: one side of the rollout.
type queryData struct {
	Namespace string // of the workload
	Name      string // of the workload
	Track     string // base or candidate
	Pods      string // anchored expression of that side's pod names now, dots as [.]
	Service   string // of that side
	Revision  string // of that side
	Interval  string // the larger of every and four scrape intervals
}

// checkQuery parses a query's template, and throws it away: whoever asks has
// the values. Errors carry a hint.
func checkQuery(text string) error {
	t, err := template.New("query").Parse(text)
	if err != nil {
		message := strings.TrimPrefix(err.Error(), "template: query:")
		return hint("the template cannot be read: line "+message, "Variables are written {{.Pods}}; write {{\"{{\"}} for the characters themselves.")
	}
	for _, associated := range t.Templates() {
		if err := checkFields(associated.Root); err != nil {
			return err
		}
	}
	return nil
}

// checkFields checks every field that a template names, wherever it stands:
// executing the template would see only the branches taken.
func checkFields(node parse.Node) error {
	if node == nil || reflect.ValueOf(node).IsNil() {
		return nil
	}
	switch n := node.(type) {
	case *parse.ListNode:
		return firstError(n.Nodes)
	case *parse.ActionNode:
		return checkFields(n.Pipe)
	case *parse.PipeNode:
		return firstError(n.Cmds)
	case *parse.CommandNode:
		return firstError(n.Args)
	case *parse.IfNode:
		return checkBranch(n.BranchNode)
	case *parse.WithNode:
		return checkBranch(n.BranchNode)
	case *parse.RangeNode:
		return hint("a query has nothing to range over", "Every field is one text.")
	case *parse.TemplateNode:
		return checkFields(n.Pipe)
	case *parse.ChainNode:
		return hint(fmt.Sprintf("a query has no field `.%s` of a value", strings.Join(n.Field, ".")), "Every field is one text.")
	case *parse.FieldNode:
		return checkField(n.Ident)
	case *parse.VariableNode:
		if len(n.Ident) > 1 {
			return checkField(n.Ident[1:])
		}
	}
	return nil
}

func checkBranch(n parse.BranchNode) error {
	for _, child := range []parse.Node{n.Pipe, n.List, n.ElseList} {
		if err := checkFields(child); err != nil {
			return err
		}
	}
	return nil
}

func firstError[N parse.Node](nodes []N) error {
	for _, n := range nodes {
		if err := checkFields(n); err != nil {
			return err
		}
	}
	return nil
}

// checkField checks one field reference.
func checkField(ident []string) error {
	var known []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[queryData]()) {
		known = append(known, f.Name)
	}
	if len(ident) == 1 && slices.Contains(known, ident[0]) {
		return nil
	}
	name := strings.Join(ident, ".")
	return hint(fmt.Sprintf("a query has no field `.%s`%s", name, didYouMean(name, known)),
		"It can name .%s.", strings.Join(known, ", ."))
}
