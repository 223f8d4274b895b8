package summary

import (
	"fmt"
	"strings"

	"github.com/tidegate/tidegate/internal/report/sheet"
)

// table writes rows under headers; cells are markdown already.
type table struct{ b strings.Builder }

func newTable(headers ...string) *table {
	t := &table{}
	t.row(headers...)
	t.b.WriteString("|" + strings.Repeat(" --- |", len(headers)) + "\n")
	return t
}

func (t *table) row(cells ...string) {
	for i, c := range cells {
		if c == "" {
			cells[i] = " "
		}
	}
	t.b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}

func (t *table) text() string { return t.b.String() + "\n" }

func steps(s sheet.Sheet, evidence bool) string {
	if len(s.Steps) == 0 {
		return ""
	}
	headers := []string{"", "Step", "New version", "Until in force", "Held", "Gates"}
	if evidence {
		headers = append(headers, "Worst seen")
	}
	t := newTable(headers...)
	for i, row := range s.Steps {
		if i == mostRows {
			t.row("…", fmt.Sprintf("%d more", len(s.Steps)-i))
			break
		}
		var verdicts []string
		for _, v := range row.Verdicts {
			verdicts = append(verdicts, sign(v.Sign)+" "+Text(v.Gate))
		}
		cells := []string{sign(row.Sign), Code(row.ID), row.Share, row.Took, row.Held, strings.Join(verdicts, "<br>")}
		if evidence {
			cells = append(cells, Text(row.Worst))
		}
		t.row(cells...)
	}
	return t.text()
}

// mostRows is how many rows a table has.
const mostRows = 200

func gateRows(s sheet.Sheet, evidence bool) string {
	if len(s.Gates) == 0 {
		return ""
	}
	headers := []string{"", "Gate", "Step", "Last", "Worst", "Looks", "Failed", "No data"}
	if evidence {
		headers = append(headers, "Says")
	}
	t := newTable(headers...)
	for i, g := range s.Gates {
		if i == mostRows {
			t.row("…", fmt.Sprintf("%d more", len(s.Gates)-i))
			break
		}
		cells := []string{sign(g.Sign), Text(g.Name), Code(g.Step), Text(g.Value), Text(g.Worst), fmt.Sprint(g.Looks), fmt.Sprint(g.Fails), fmt.Sprint(g.Empty)}
		if evidence {
			cells = append(cells, says(g))
		}
		t.row(cells...)
	}
	return t.text()
}

// says is a gate's reason, with its query under it.
func says(g sheet.Gate) string {
	parts := []string{}
	for _, part := range []string{Text(g.Reason), Code(g.Query), Code(g.Link)} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "<br>")
}

// facts stand behind a fold: what identifies the rollout.
func facts(s sheet.Sheet) string {
	if len(s.Facts) == 0 {
		return ""
	}
	t := newTable("Fact", "")
	for _, f := range s.Facts {
		text := Text(f.Text)
		if f.Code {
			text = Code(f.Text)
		}
		t.row(Text(f.Label), text)
	}
	return "<details>\n<summary>Images and identifiers</summary>\n\n" + t.text() + "</details>\n\n"
}
