package house

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/preflight"
)

// namespace is the one that the examples use.
const namespace = "shop"

func needed() []preflight.Permission {
	return preflight.Needed(preflight.Use{Namespace: namespace, Everything: true})
}

func role(*testing.T, string) string {
	return "```yaml\n" + preflight.RoleText(namespace, needed()) + "```"
}

func clusterRole(*testing.T, string) string {
	return "```yaml\n" + preflight.RoleText("", needed()) + "```"
}

func permissions(*testing.T, string) string {
	var b strings.Builder
	b.WriteString("| resource | verbs | why | without it |\n| --- | --- | --- | --- |\n")
	for _, p := range needed() {
		resource := p.Resource
		if p.Group != "" {
			resource += "." + p.Group
		}
		without := "the rollout is not started"
		if p.Optional {
			without = "a warning"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", resource, strings.Join(p.Verbs, ", "), p.Why, without)
	}
	return b.String()
}

// findings is a table of findings, keeping what is written about what to do.
func findings(which func(preflight.Kind) bool) func(*testing.T, string) string {
	return func(t *testing.T, present string) string {
		remedies := lastCells(present)
		var b strings.Builder
		b.WriteString("| finding | what is wrong | to deploy all the same | what to do |\n| --- | --- | --- | --- |\n")
		for _, k := range preflight.Kinds() {
			if !which(k) {
				continue
			}
			if remedies[k.Name] == "" {
				t.Errorf("docs/findings.md has no remedy for %s", k.Name)
			}
			accept := "`--accept " + k.Name + "`"
			switch {
			case k.Level == preflight.Warning:
				accept = "it is deployed"
			case k.Force:
				accept = "`--force`"
			case k.Final:
				accept = "not possible"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", k.Name, k.Says, accept, remedies[k.Name])
		}
		return b.String()
	}
}

// Every Kubernetes Event that is written is one that the documentation names.
func TestDocumentedEvents(t *testing.T) {
	reasons := regexp.MustCompile(`reason(?:, warning)? = "(\w+)"`).FindAllStringSubmatch(read(t, "internal/app/events.go"), -1)
	if len(reasons) < 5 {
		t.Fatalf("only %d reasons were found", len(reasons))
	}
	for _, m := range reasons {
		if !strings.Contains(read(t, "docs/reference.md"), "`"+m[1]+"`") {
			t.Errorf("docs/reference.md does not name the Event %s", m[1])
		}
	}
}
