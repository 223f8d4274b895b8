package spec

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Problem is one mistake in a spec, in its writer's words.
type Problem struct {
	File    string `json:"file"`
	Line    int    `json:"line"`   // from 1; 0 if the problem is the whole file's
	Column  int    `json:"column"` // from 1
	Path    string `json:"path"`   // such as spec.strategy.canary.steps[1].weight
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"` // what to do about it
}

// Error is the problem on one line: file:line:column: path: message. Hint.
func (p Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	if p.Path != "" {
		b.WriteString(": " + p.Path)
	}
	b.WriteString(": " + sentence(p.Message, p.Hint))
	return strings.TrimPrefix(b.String(), ": ")
}

// Problems is every mistake of a file, sorted by position.
type Problems []Problem

// Error is one problem per line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// sorted is the problems by position, each once: of a value that the base and,
// by an alias, an overlay share, the base's.
func (ps Problems) sorted() Problems {
	ps = slices.Clone(ps)
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(shared(a), shared(b)), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Message, b.Message))
	})
	return slices.CompactFunc(ps, func(a, b Problem) bool {
		return a.File == b.File && a.Line == b.Line && a.Column == b.Column && a.Message == b.Message
	})
}

// shared orders the problems of overlays behind the base's.
func shared(p Problem) int {
	if inOverlay(p.Path) {
		return 1
	}
	return 0
}

// err is the problems as an error, nil if there are none.
func (ps Problems) err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps.sorted()
}

// hinted is an error with what to do about it.
type hinted struct{ message, hint string }

func (h hinted) Error() string { return sentence(h.message, h.hint) }

// sentence joins a message and its hint, which may be empty.
func sentence(message, hint string) string {
	switch {
	case hint == "":
		return message
	case strings.HasSuffix(message, "?"):
		return message + " " + hint
	}
	return message + ". " + hint
}

// hint makes an error of a message and a formatted hint.
func hint(message, format string, args ...any) error {
	return hinted{message, fmt.Sprintf(format, args...)}
}

// explain splits an error into message and hint.
func explain(err error) (message, hint string) {
	if h := (hinted{}); errors.As(err, &h) {
		return h.message, h.hint
	}
	return err.Error(), ""
}
