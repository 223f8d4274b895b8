package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What a file may be at most, in lines. Tests may be longer: a table is no thicket.
const (
	longestFile     = 400
	longestTestFile = 500
	longestFunction = 60
)

// clocks are the functions of package time that read or wait for the machine's time.
func clocks() []string {
	return []string{"Now", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick", "Since", "Until"}
}

// excused are the files that may do what others may not, by what they do.
func excused() map[string][]string {
	return map[string][]string{
		"time": {
			"internal/clock/",            // the one place
			"internal/state/contract/",   // suites that run in a synctest bubble or against a real cluster
			"internal/sandbox/contract/", // so does this one
			"cmd/tidegate/main.go",       // ends a process that does not end itself: no test's clock can be trusted with that
		},
		"context": {
			"cmd/tidegate/main.go",
			"testdata/service/main.go",
		},
	}
}

func TestSources(t *testing.T) {
	seen := 0
	sources(t, func(path string) {
		seen++
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, filepath.Join(root, path), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			return
		}
		s := source{t, set, path, file}
		s.size()
		if !s.tests() {
			s.functions()
		}
		if !strings.HasSuffix(path, "_test.go") {
			s.calls()
		}
	})
	if seen < 100 {
		t.Errorf("only %d files were looked at", seen)
	}
}

type source struct {
	t    *testing.T
	set  *token.FileSet
	path string
	file *ast.File
}

// tests tells whether a file holds tests: suites that several packages run live in ordinary files of packages contract.
func (s source) tests() bool {
	return strings.HasSuffix(s.path, "_test.go") || strings.Contains(s.path, "/contract/")
}

func (s source) line(p token.Pos) int { return s.set.Position(p).Line }

func (s source) size() {
	limit := longestFile
	if s.tests() {
		limit = longestTestFile
	}
	if n := s.line(s.file.FileEnd); n > limit {
		s.t.Errorf("%s has %d lines, more than %d: split it by what it is about", s.path, n, limit)
	}
}

func (s source) functions() {
	for _, d := range s.file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		if n := s.line(f.End()) - s.line(f.Pos()) + 1; n > longestFunction {
			s.t.Errorf("%s:%d: %s has %d lines, more than %d: name its parts", s.path, s.line(f.Pos()), f.Name.Name, n, longestFunction)
		}
		if f.Name.Name == "init" && f.Recv == nil {
			s.t.Errorf("%s:%d: init runs before anybody asked for it: list what there is in internal/catalog", s.path, s.line(f.Pos()))
		}
	}
}

func (s source) calls() {
	ast.Inspect(s.file, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		from, ok := sel.X.(*ast.Ident)
		if !ok {
			return true
		}
		switch {
		case from.Name == "time" && slices.Contains(clocks(), sel.Sel.Name) && !s.excused("time"):
			s.t.Errorf("%s:%d: time.%s: take a clock.Clock, so that the same code runs in virtual time", s.path, s.line(sel.Pos()), sel.Sel.Name)
		case from.Name == "context" && (sel.Sel.Name == "Background" || sel.Sel.Name == "TODO") && !s.excused("context"):
			s.t.Errorf("%s:%d: context.%s: take the caller's, or bound context.WithoutCancel of it", s.path, s.line(sel.Pos()), sel.Sel.Name)
		}
		return true
	})
}

func (s source) excused(from string) bool {
	return slices.ContainsFunc(excused()[from], func(p string) bool { return strings.HasPrefix(s.path, p) })
}
