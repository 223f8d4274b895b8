package actions_test

import (
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/actions"
)

// pairs reads a file of pairs as the runner does: up to the line that is the delimiter.
func pairs(t *testing.T, text string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for text != "" {
		line, rest, _ := strings.Cut(text, "\n")
		name, delimiter, ok := strings.Cut(line, "<<")
		if !ok || delimiter == "" || strings.Contains(name, "=") {
			t.Fatalf("line %q begins no value", line)
		}
		value, after, ok := strings.Cut("\n"+rest, "\n"+delimiter+"\n")
		if !ok {
			t.Fatalf("the value of %s does not end", name)
		}
		all[name], text = strings.TrimPrefix(value, "\n"), after
	}
	return all
}

// TestPairs: no value ends itself, or becomes another name.
func TestPairs(t *testing.T) {
	values := []string{"plain", "", "two\nlines", "ends with a line\n", "\n", "EOF\nresult=succeeded", "_GitHubActionsFileCommandDelimeter_\nresult<<x\nsucceeded\nx",
		"a=b", "result<<EOF\nsucceeded\nEOF", "tidegate_\nx=y", "\r\n\r\nx", "::set-output name=result::x", strings.Repeat("long\n", 10000)}
	for _, variable := range []string{"GITHUB_OUTPUT", "GITHUB_STATE"} {
		w := onRunner(t, nil)
		set := w.runner().Output
		if variable == "GITHUB_STATE" {
			set = w.runner().State
		}
		want := map[string]string{}
		for i, value := range values {
			name := "name-" + string(rune('a'+i))
			want[name] = value
			if err := set(name, value); err != nil {
				t.Fatal(err)
			}
		}
		got := pairs(t, w.file(t, variable))
		if len(got) != len(want) {
			t.Errorf("%s: %d names, want %d", variable, len(got), len(want))
		}
		for name, value := range want {
			if got[name] != value {
				t.Errorf("%s: %s is %.60q, want %.60q", variable, name, got[name], value)
			}
		}
	}
}

// TestPairsDelimiter: what was written before does not tell how the next value ends.
func TestPairsDelimiter(t *testing.T) {
	w := onRunner(t, nil)
	r := w.runner()
	seen := map[string]bool{}
	for range 20 {
		if err := r.Output("a", "b"); err != nil {
			t.Fatal(err)
		}
	}
	for line := range strings.Lines(w.file(t, "GITHUB_OUTPUT")) {
		if _, delimiter, ok := strings.Cut(line, "<<"); ok {
			seen[delimiter] = true
		}
	}
	if len(seen) != 20 {
		t.Errorf("%d delimiters for 20 values", len(seen))
	}
}

// TestPairsNames: a name that could begin another one is refused.
func TestPairsNames(t *testing.T) {
	w := onRunner(t, nil)
	for _, name := range []string{"", "a\nb", "a=b", "a<<EOF", "a b", "ä", "\r"} {
		has(t, w.runner().Output(name, "x"), "is no name for GITHUB_OUTPUT")
		has(t, w.runner().State(name, "x"), "is no name for GITHUB_STATE")
	}
}

func TestSaved(t *testing.T) {
	w := onRunner(t, map[string]string{"STATE_left": "a\nb"})
	if got := w.runner().Saved("left"); got != "a\nb" {
		t.Errorf("got %q", got)
	}
}

// TestSummary: what GitHub would drop whole is refused, and what was there stays.
func TestSummary(t *testing.T) {
	w := onRunner(t, nil)
	r := w.runner()
	if err := r.Summary("first\n"); err != nil {
		t.Fatal(err)
	}
	has(t, r.Summary(strings.Repeat("x", 1<<20+1)), "1048577 bytes", "takes 1048576")
	if err := r.Summary("second\n"); err != nil {
		t.Fatal(err)
	}
	if got := w.file(t, "GITHUB_STEP_SUMMARY"); got != "first\nsecond\n" {
		t.Errorf("got %q", got)
	}
	full := onRunner(t, nil)
	if err := full.runner().Summary(strings.Repeat("x", 1<<20)); err != nil || len(full.file(t, "GITHUB_STEP_SUMMARY")) != 1<<20 {
		t.Errorf("a summary as long as can be: %v", err)
	}
}

// TestMask: each line by itself, as the runner masks; nothing empty, and nothing into the log that may mask.
func TestMask(t *testing.T) {
	for _, tt := range []struct {
		name   string
		values []string
		want   string
	}{
		{"one", []string{"hunter22"}, "::add-mask::hunter22\n"},
		{"several", []string{"hunter22", "secret"}, "::add-mask::hunter22\n::add-mask::secret\n"},
		{"lines", []string{"-----BEGIN KEY-----\r\n  abc\n\n-----END KEY-----\n"}, "::add-mask::-----BEGIN KEY-----\n::add-mask::abc\n::add-mask::-----END KEY-----\n"},
		{"a percent sign, and what looks like a command", []string{"100%0A::error::x"}, "::add-mask::100%250A::error::x\n"},
		{"a carriage return within", []string{"abc\rdef"}, "::add-mask::abc%0Ddef\n"},
		{"nothing", []string{"", " \n\t"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{}
			w.runner().Mask(tt.values...)
			if w.raw.String() != tt.want || w.out.Len() != 0 {
				t.Errorf("got %q and %q, want %q", w.raw.String(), w.out.String(), tt.want)
			}
		})
	}
}

// TestAnnotate: one line, whatever the text.
func TestAnnotate(t *testing.T) {
	for _, tt := range []struct {
		name, title, message string
		level                actions.Level
		want                 string
	}{
		{"notice", "checkout", "it works", actions.Notice, "::notice title=checkout::it works\n"},
		{"warning", "checkout", "it may work", actions.Warning, "::warning title=checkout::it may work\n"},
		{"error", "checkout", "it failed", actions.Error, "::error title=checkout::it failed\n"},
		{"lines", "a\nb", "c\r\nd", actions.Error, "::error title=a%0Ab::c%0Ad\n"},
		{"percent signs", "5%", "100%0A %s", actions.Error, "::error title=5%25::100%250A %25s\n"},
		{"another command", "x::error::y,file=z", "::set-output name=a::b", actions.Notice, "::notice title=x%3A%3Aerror%3A%3Ay%2Cfile=z::: :set-output name=a::b\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{}
			w.runner().Annotate(tt.level, tt.title, tt.message)
			if got := w.out.String(); got != tt.want || w.raw.Len() != 0 {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestPlain: nothing is left that the runner or a terminal would obey, and nothing else is changed.
func TestPlain(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"plain", "a: b::c, 5% [x] # y", "a: b::c, 5% [x] # y"},
		{"lines with indentation", "a\n  b\n\tc\n", "a\n  b\n\tc\n"},
		{"a command", "::error::x", ": :error::x"},
		{"a command after spaces", "a\n \t::error::x", "a\n \t: :error::x"},
		{"a command of the older form", "a ##[error]x ##[add-mask]y", "a ## [error]x ## [add-mask]y"},
		{"a command in pieces", "##\u202e[error]\n:\u200b:error::x", "## [error]\n: :error::x"},
		{"ends of lines", "a\r\n::b::\r::c::\u2028::d::\u0085::e::\v::f::", "a\n: :b::\n: :c::\n: :d::\n: :e::\n: :f::"},
		{"colours and directions", "a\x1b[31mb\u2066c\x00d\u009be", "a[31mbcde"},
		{"letters of all kinds", "é 日本 ✓ 🙂 e\u0301", "é 日本 ✓ 🙂 e\u0301"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := actions.Plain(tt.text); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestAnnotateLong: GitHub cuts at 4096 characters without a sign; what is cut here has one.
func TestAnnotateLong(t *testing.T) {
	w := &world{}
	w.runner().Annotate(actions.Error, "t", strings.Repeat("é", 5000))
	_, message, _ := strings.Cut(strings.TrimSuffix(w.out.String(), "\n"), "title=t::")
	if n := len([]rune(message)); n != 4000 || !strings.HasSuffix(message, "é…") {
		t.Errorf("%d characters that end with %q", n, message[len(message)-8:])
	}
}
