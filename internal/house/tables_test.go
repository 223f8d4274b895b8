package house

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/preflight"
)

// A part of a document that is made from the code stands between <!-- made: NAME --> and <!-- end -->.
func TestMadePartsAreUpToDate(t *testing.T) {
	for _, part := range []struct {
		path, name string
		make       func(t *testing.T, present string) string
	}{
		{"docs/reference.md", "fields", fields},
		{"docs/reference.md", "commands", commandTables},
		{"docs/reference.md", "results", results},
		{"docs/reference.md", "status", status},
		{"docs/action.md", "inputs", inputs},
		{"docs/action.md", "outputs", outputs},
		{"docs/permissions.md", "role", role},
		{"docs/permissions.md", "cluster-role", clusterRole},
		{"docs/permissions.md", "permissions", permissions},
		{"docs/routers.md", "routers", routers},
		{"docs/findings.md", "errors", findings(func(k preflight.Kind) bool { return k.Level == preflight.Error })},
		{"docs/findings.md", "warnings", findings(func(k preflight.Kind) bool { return k.Level == preflight.Warning })},
	} {
		t.Run(part.name, func(t *testing.T) {
			text := read(t, part.path)
			begin, end := "<!-- made: "+part.name+" -->\n", "<!-- end -->"
			head, rest, ok := strings.Cut(text, begin)
			present, tail, closed := strings.Cut(rest, end)
			if !ok || !closed {
				t.Fatalf("%s has no part %q", part.path, part.name)
			}
			made := "\n" + strings.TrimSpace(part.make(t, present)) + "\n\n"
			switch {
			case made == present:
			case *update:
				if err := os.WriteFile(filepath.Join(root, part.path), []byte(head+begin+made+end+tail), 0o644); err != nil {
					t.Fatal(err)
				}
			default:
				t.Errorf("%s is out of date (%s): run `go test ./internal/house -update` and read the difference; it should be:\n%s",
					part.path, part.name, made)
			}
		})
	}
}

var row = regexp.MustCompile("(?m)^\\|.*?`([\\w.\\[\\]-]+)`.*\\| (.+?) \\|$")

// lastCells are the last cells of a table's rows, by the first `name` in them.
func lastCells(table string) map[string]string {
	cells := map[string]string{}
	for _, m := range row.FindAllStringSubmatch(table, -1) {
		cells[m[1]] = m[2]
	}
	return cells
}
