package report

import (
	"strings"

	"github.com/tidegate/tidegate/internal/report/words"
)

// notes are labelled texts, one under the other.
type notes struct{ labels, texts []string }

// add appends a note; an empty text is left out.
func (n *notes) add(label, text string) {
	if text = words.Clean(text); strings.TrimSpace(text) == "" {
		return
	}
	n.labels, n.texts = append(n.labels, label), append(n.texts, text)
}

// text writes the notes with their labels in a column of their own.
func (n *notes) text(indent string) string {
	column := 0
	for _, label := range n.labels {
		column = max(column, words.Width(label))
	}
	var b strings.Builder
	for i, text := range n.texts {
		label := n.labels[i]
		for _, line := range strings.Split(text, "\n") {
			b.WriteString(strings.TrimRight(indent+words.Pad(label, column)+"  "+line, " ") + "\n")
			label = ""
		}
	}
	return b.String()
}

// table is rows of cells under headers. A cell wider than its column's limit is wrapped.
type table struct {
	headers []string
	limits  []int // widest width by column; 0 for any
	right   []bool
	rows    [][]string
}

func (t *table) add(cells ...string) {
	for i := range cells {
		cells[i] = words.Line(cells[i])
	}
	t.rows = append(t.rows, cells)
}

func (t *table) text(indent string) string {
	widths := make([]int, len(t.headers))
	for _, row := range append([][]string{t.headers}, t.rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], words.Width(cell))
			if limit := t.limits[i]; limit > 0 {
				widths[i] = min(widths[i], limit)
			}
		}
	}
	var b strings.Builder
	t.row(&b, indent, widths, t.headers)
	for _, row := range t.rows {
		t.row(&b, indent, widths, row)
	}
	return b.String()
}

func (t *table) row(b *strings.Builder, indent string, widths []int, row []string) {
	cells, height := make([][]string, len(row)), 1
	for i, cell := range row {
		cells[i] = words.Wrap(cell, widths[i])
		height = max(height, len(cells[i]))
	}
	for n := range height {
		line := indent
		for i, cell := range cells {
			text := ""
			if n < len(cell) {
				text = cell[n]
			}
			if t.right[i] {
				line += words.PadLeft(text, widths[i]) + "  "
			} else {
				line += words.Pad(text, widths[i]) + "  "
			}
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}
