package house

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/tidegate/tidegate/internal/actions"
)

// actionFile is action.yml; the order of its keys is the order of the tables.
type actionFile struct {
	Inputs  yaml.Node
	Outputs yaml.Node
}

func theAction(t *testing.T) actionFile {
	t.Helper()
	var a actionFile
	if err := yaml.Unmarshal([]byte(read(t, "action.yml")), &a); err != nil {
		t.Fatal(err)
	}
	if len(a.Inputs.Content) < 20 || len(a.Outputs.Content) < 14 {
		t.Fatalf("action.yml has %d inputs and %d outputs", len(a.Inputs.Content)/2, len(a.Outputs.Content)/2)
	}
	return a
}

// parameters are the keys of a mapping, with what is written about each.
func parameters(t *testing.T, n yaml.Node) (names []string, about map[string]parameter) {
	t.Helper()
	about = map[string]parameter{}
	for i := 0; i < len(n.Content); i += 2 {
		var p parameter
		if err := n.Content[i+1].Decode(&p); err != nil {
			t.Fatal(err)
		}
		names = append(names, n.Content[i].Value)
		about[n.Content[i].Value] = p
	}
	return names, about
}

type parameter struct{ Description, Default string }

func inputs(t *testing.T, _ string) string {
	var b strings.Builder
	b.WriteString("| input | default | meaning |\n| --- | --- | --- |\n")
	names, about := parameters(t, theAction(t).Inputs)
	for _, name := range names {
		value := about[name].Default
		if value != "" {
			value = "`" + value + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", name, value, about[name].Description)
	}
	return b.String()
}

func outputs(t *testing.T, _ string) string {
	var b strings.Builder
	b.WriteString("| output | is |\n| --- | --- |\n")
	names, about := parameters(t, theAction(t).Outputs)
	for _, name := range names {
		fmt.Fprintf(&b, "| `%s` | %s |\n", name, about[name].Description)
	}
	return b.String()
}

// Every input of action.yml is read, every output written, and the other way round.
func TestActionFileAndCode(t *testing.T) {
	a := theAction(t)
	ins, about := parameters(t, a.Inputs)
	outs, _ := parameters(t, a.Outputs)
	reads := quoted(`(?:choice|lines|GetInput)\("([\w-]+)"`, read(t, "internal/actions/inputs.go"))
	if slices.Sort(ins); !slices.Equal(ins, reads) {
		t.Errorf("action.yml has the inputs %v; internal/actions reads %v", ins, reads)
	}
	writes := quoted(`"([a-z-]+)":`, read(t, "internal/cli/actionjob.go"))
	for _, name := range outs {
		if !slices.Contains(writes, name) && name != "preview-url" { // of a command that is not there yet
			t.Errorf("action.yml has the output %s; internal/cli/actionjob.go does not write it", name)
		}
	}
	for _, name := range writes {
		if !slices.Contains(outs, name) {
			t.Errorf("internal/cli/actionjob.go writes %s, which is no output of action.yml", name)
		}
	}
	for _, command := range actions.Commands() {
		if !strings.Contains(about["command"].Description, command) {
			t.Errorf("action.yml does not name the command %s", command)
		}
	}
}

// quoted are the sorted, different first groups of a pattern.
func quoted(pattern, text string) []string {
	var all []string
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// What the documentation says of GitHub's permissions is what action.yml asks for and what the code needs.
func TestDocumentedTokenPermissions(t *testing.T) {
	_, section, _ := strings.Cut(read(t, "docs/permissions.md"), "\n## In GitHub\n")
	rows := quoted("(?m)^\\| `([a-z-]+: \\w+)` \\|", section)
	if asked := quoted("`([a-z-]+: (?:read|write))`", read(t, "action.yml")); !slices.Equal(rows, asked) {
		t.Errorf("docs/permissions.md has rows for %v; action.yml asks for %v", rows, asked)
	}
	_, facets, _ := strings.Cut(read(t, "internal/github/sender.go"), "func facet(")
	facets, _, _ = strings.Cut(facets, "\n}\n")
	needed := quoted(`return "(\w+)"`, facets)
	if len(needed) < 3 {
		t.Fatalf("only the facets %v were found", needed)
	}
	for _, facet := range needed {
		if !slices.Contains(rows, facet+": write") {
			t.Errorf("docs/permissions.md has no row for `%s: write`", facet)
		}
	}
}
