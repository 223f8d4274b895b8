package summary_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/report/summary"
)

// hostile is text that would be something else than text if it were written as it is.
func hostile() []string {
	return []string{
		"`</details><img src=x onerror=alert(1)>", "[x](javascript:alert(1))", "![x](https://evil.example/x.png)", "@octocat", "a@b.example", "#1", "acme/shop#1", "GH-1",
		"| a |\n# h", "```", "````\n```mermaid\n```", "-->", "<!--", "%%{init: {}}%%", "%%{init}%%\n\"]\nline [1]", strings.Repeat("x|", 5000), "a\u200bb\u202ec\u2066d\u0000\x1b[2Je",
		"https://evil.example", "www.evil.example", "WWW.evil.example", "xwwww.evil.example", ":octocat:", "$x$", "$`x`$", "- a", "1. a", "1) a", "+ a", "===", "---", "***", "___", "~~~", "~~a~~", "> a", "\\|", "a\\",
		"\\`", "&lt;b&gt;", "&#60;b&#62;", "[^1]: x", "[x]: https://evil.example", "<https://evil.example>", "a\r\n\r\n# h\u2028# i", "{{.}}", "e\u0301" + strings.Repeat("\u0301", 5000),
		"\xff\xfe", " ", "`", "``a`", "::set-output name=a::b", "</code></summary></td>", "\t# h", "    code",
	}
}

func FuzzEscapes(f *testing.F) {
	for _, text := range hostile() {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		isText(t, summary.Text(text))
		isCode(t, summary.Code(text))
		isBlock(t, summary.Block(strings.Split(text, "\n")))
		if label := summary.Label(text); strings.ContainsAny(label, "\"`%{}[]();#<>&|\n\\") || len([]rune(label)) > 41 || strings.Contains(label, "---") {
			t.Errorf("label %q", label)
		}
	})
}

var (
	entity = regexp.MustCompile(`&#\d+;`)
	mends  = regexp.MustCompile(`(?i)://|www\.|\bgh-\d|^[-+=]|^\d+[.)](?: |$)|:[a-z]`)
)

// isText fails unless nothing in a line of markdown can be more than text. Entities are; they never begin anything.
func isText(t *testing.T, markdown string) {
	t.Helper()
	plain := entity.ReplaceAllString(markdown, "\x00")
	if strings.ContainsAny(plain, "\\`*_{}[]<>&|~!^@#$\n\r\u2028\u202e\u200b") {
		t.Errorf("text with a sign: %q", markdown)
	}
	if m := mends.FindString(plain); m != "" {
		t.Errorf("text with %q: %q", m, markdown)
	}
	for _, sign := range []string{"&#64;", "&#35;", "&#36;"} {
		if strings.Count(markdown, sign) != strings.Count(markdown, sign+"&#8203;") {
			t.Errorf("%s without a gap: %q", sign, markdown)
		}
	}
	if len(markdown) > 16_000 {
		t.Errorf("%d bytes", len(markdown))
	}
}

// isCode fails unless the markdown is one span of code, in a table too.
func isCode(t *testing.T, markdown string) {
	t.Helper()
	if inner, ok := strings.CutPrefix(markdown, "<code>"); ok {
		inner = strings.TrimSuffix(inner, "</code>")
		if strings.ContainsAny(entity.ReplaceAllString(inner, ""), "\\`*_{}[]<>&|~!^@#$\n\r.:") {
			t.Errorf("markup %q", markdown)
		}
		return
	}
	ticks := len(markdown) - len(strings.TrimLeft(markdown, "`"))
	inner := strings.TrimSuffix(strings.TrimPrefix(markdown, strings.Repeat("`", ticks)), strings.Repeat("`", ticks))
	if len(markdown) != len(inner)+2*ticks || markdown != "" && (ticks == 0 || strings.TrimSpace(inner) == "") {
		t.Errorf("code %q", markdown)
	}
	if ticks > 0 && strings.Contains(" "+inner+" ", strings.Repeat("`", ticks)) || strings.ContainsAny(inner, "|\n\r\u2028\u202e\u200b") {
		t.Errorf("code %q", markdown)
	}
}

// isBlock fails unless the markdown is one block of code.
func isBlock(t *testing.T, markdown string) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(markdown, "\n"), "\n")
	fence := strings.TrimSuffix(lines[0], "text")
	if strings.Trim(fence, "`") != "" || len(fence) < 3 || lines[len(lines)-1] != fence {
		t.Errorf("block %q", markdown)
	}
	for _, line := range lines[1 : len(lines)-1] {
		if strings.Contains(line, fence) || strings.ContainsAny(line, "\r\u2028\u202e\u200b\x1b") {
			t.Errorf("line %q in block %q", line, markdown)
		}
	}
}

func TestEscapes(t *testing.T) {
	tests := []struct{ name, got, want string }{
		{"words stay", summary.Text("0.32 is not (result) at 03:04:01, 5% of shift-25"), "0.32 is not (result) at 03:04:01, 5% of shift-25"},
		{"mention", summary.Text("by mara@laptop"), "by mara&#64;&#8203;laptop"},
		{"issue", summary.Text("see #1"), "see &#35;&#8203;1"},
		{"link", summary.Text("[x](javascript:y)"), "&#91;x&#93;(javascript:&#8203;y)"},
		{"address", summary.Text("https://www.example.com"), "https:&#8203;//www&#8203;.example.com"},
		{"lines", summary.Text("a\n# b"), "a &#35;&#8203; b"},
		{"list", summary.Text("12. a"), "12&#46; a"},
		{"rule", summary.Text("-- a"), "&#45;- a"},
		{"code", summary.Code("a `b` c"), "``a `b` c``"},
		{"code of ticks", summary.Code("`"), "`` ` ``"},
		{"code with a bar", summary.Code("a|b@c"), "<code>a&#124;b&#8203;&#64;c</code>"},
		{"no code", summary.Code(" \n"), ""},
		{"block", summary.Block([]string{"a", "````", "  b"}), "`````text\na\n````\n  b\n`````\n"},
		{"label", summary.Label("a \"b\" %%{init}%% --> c-d_e"), "a b init -- c-d_e"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.got != tt.want {
				t.Errorf("got %q, want %q", tt.got, tt.want)
			}
		})
	}
}
