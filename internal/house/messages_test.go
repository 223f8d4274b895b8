package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// shortestPiece is the length, in letters, from which a piece of a quoted message must stand in the source.
const shortestPiece = 6

var (
	saysTable = regexp.MustCompile(`(?m)^\| it says \|.*\n\|.*\n((?:\|.*\n)+)`)
	verb      = regexp.MustCompile(`%(\[\d+\])?[-+# 0]*[\d.*]*[a-zA-Z]`)
)

// Every message that the troubleshooting page quotes is one that the product prints. A message is shortened at "…", and
// a cell may hold several, divided by " / "; every piece between has to be part of a text of the source.
func TestQuotedMessagesExist(t *testing.T) {
	texts := strings.Join(productTexts(t), "\x01")
	seen := 0
	for _, table := range saysTable.FindAllStringSubmatch(read(t, "docs/troubleshooting.md"), -1) {
		for line := range strings.Lines(table[1]) {
			message, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " | ")
			seen++
			for _, piece := range pieces(message) {
				if !strings.Contains(texts, piece) {
					t.Errorf("docs/troubleshooting.md quotes %q; no text of the source holds %q", message, piece)
				}
			}
		}
	}
	if seen < 40 {
		t.Errorf("only %d messages were found: has the way that they are marked changed?", seen)
	}
}

// pieces are the parts of a quoted message that are long enough to be looked for.
func pieces(message string) []string {
	var all []string
	for alternative := range strings.SplitSeq(message, " / ") {
		for piece := range strings.SplitSeq(alternative, "…") {
			letters := strings.Map(func(r rune) rune {
				if unicode.IsLetter(r) {
					return r
				}
				return -1
			}, piece)
			if len(letters) >= shortestPiece {
				all = append(all, strings.Trim(piece, " \"`")) // quotation marks may come from %q
			}
		}
	}
	return all
}

// productTexts are the texts in the product's source. What is put together with + is one text; verbs and other
// expressions in it are left out, as a gap.
func productTexts(t *testing.T) []string {
	var all []string
	sources(t, func(path string) {
		if strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "internal/sandbox/") || strings.HasPrefix(path, "testdata/") {
			return
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, path), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Error(err)
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			e, ok := n.(ast.Expr)
			if !ok {
				return true
			}
			if text, ok := textOf(e); ok {
				all = append(all, verb.ReplaceAllString(text, "\x00"))
				return false
			}
			return true
		})
	})
	return all
}

// textOf is the text of a literal, or of a sum with a literal in it.
func textOf(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind != token.STRING {
			return "", false
		}
		text, err := strconv.Unquote(e.Value)
		return text, err == nil
	case *ast.BinaryExpr:
		left, l := textOf(e.X)
		right, r := textOf(e.Y)
		if !l {
			left = "\x00"
		}
		if !r {
			right = "\x00"
		}
		return left + right, e.Op == token.ADD && (l || r)
	}
	return "", false
}
