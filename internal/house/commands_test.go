package house

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/report"
)

var flagLine = regexp.MustCompile(`^ +(?:(-\w), )?(--[\w-]+)(?: (.+?))? {2,}(.+)$`)

// commandTables is a table of the commands, and one of all flags.
func commandTables(t *testing.T, _ string) string {
	var list, flags strings.Builder
	list.WriteString("| command | does |\n| --- | --- |\n")
	flags.WriteString("| flag | of | meaning |\n| --- | --- | --- |\n")
	_, table, _ := strings.Cut(help(t), "Available Commands:\n")
	_, global, _ := strings.Cut(table, "\nFlags:\n")
	for line := range strings.Lines(global) {
		writeFlag(&flags, "all", line)
	}
	table, _, _ = strings.Cut(table, "\n\n")
	for line := range strings.Lines(table) {
		name, what, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name == "completion" || name == "help" {
			continue
		}
		text := help(t, name)
		_, use, _ := strings.Cut(text, "Usage:\n  ")
		use, _, _ = strings.Cut(use, " [flags]")
		fmt.Fprintf(&list, "| `%s` | %s |\n", strings.TrimSpace(use), strings.TrimSpace(what))
		_, own, _ := strings.Cut(text, "\nFlags:\n")
		own, _, _ = strings.Cut(own, "\nGlobal Flags:")
		for line := range strings.Lines(own) {
			writeFlag(&flags, "`"+name+"`", line)
		}
	}
	return list.String() + "\n" + flags.String()
}

func writeFlag(b *strings.Builder, of, line string) {
	m := flagLine.FindStringSubmatch(strings.TrimRight(line, "\n"))
	if m == nil || m[2] == "--help" {
		return
	}
	name := "`" + m[2] + "`"
	if m[1] != "" {
		name = "`" + m[1] + "`, " + name
	}
	fmt.Fprintf(b, "| %s | %s | %s |\n", name, of, m[4])
}

var resultLine = regexp.MustCompile(`(?m)^\s+\w+\s+Result = "([\w-]+)"$`)

// results is a table of how a run may end, keeping what is written about each.
func results(t *testing.T, present string) string {
	about := lastCells(present)
	var b strings.Builder
	b.WriteString("| code | `result` | when |\n| --- | --- | --- |\n")
	found := resultLine.FindAllStringSubmatch(read(t, "internal/report/result.go"), -1)
	for _, code := range []int{0, 1, 2, 3, 4, 5, 6, 7, 130} {
		for _, m := range found {
			if report.Result(m[1]).ExitCode() != code {
				continue
			}
			if about[m[1]] == "" {
				t.Errorf("docs/reference.md says nothing of the result %s", m[1])
			}
			fmt.Fprintf(&b, "| %d | `%s` | %s |\n", code, m[1], about[m[1]])
		}
	}
	if len(found) < 8 {
		t.Errorf("only %d results were found", len(found))
	}
	return b.String()
}
