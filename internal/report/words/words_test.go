package words

import (
	"flag"
	"strings"
	"testing"
	"time"
	"unicode"
)

// This package has no golden files; the flag lets go test ./... -update run over all packages.
var _ = flag.Bool("update", false, "nothing to write here")

func TestDuration(t *testing.T) {
	tests := []struct {
		d    time.Duration
		want string
	}{
		{-time.Second, "0s"}, {0, "0s"}, {40 * time.Millisecond, "0s"}, {400 * time.Millisecond, "0.4s"}, {949 * time.Millisecond, "0.9s"},
		{960 * time.Millisecond, "1s"}, {7 * time.Second, "7s"}, {59*time.Second + 600*time.Millisecond, "1m"}, {5*time.Minute + 3*time.Second, "5m 3s"},
		{5 * time.Minute, "5m"}, {65 * time.Minute, "1h 5m"}, {time.Hour + time.Second, "1h"}, {51 * time.Hour, "2d 3h"}, {48 * time.Hour, "2d"},
	}
	for _, tt := range tests {
		if got := Duration(tt.d); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.d, got, tt.want)
		}
	}
}

func TestAgo(t *testing.T) {
	now := time.Date(2026, 3, 14, 3, 0, 0, 0, time.UTC)
	for want, then := range map[string]time.Time{
		"just now": now, "2m 5s ago": now.Add(-125 * time.Second), "at an unknown time": {}} {
		if got := Ago(then, now); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestNumber(t *testing.T) {
	tests := []struct {
		v    float64
		want string
	}{{0, "0"}, {2, "2"}, {0.00123456, "0.001235"}, {0.99996, "1"}, {212.345, "212.3"}, {12345.6, "12346"}, {-0.5, "-0.5"}, {1.5e9, "1.5e+09"}, {1e-7, "1e-07"}}
	for _, tt := range tests {
		if got := Number(&tt.v); got != tt.want {
			t.Errorf("%g: got %q, want %q", tt.v, got, tt.want)
		}
	}
	if got := Number(nil); got != "" {
		t.Errorf("none: got %q", got)
	}
}

func TestChange(t *testing.T) {
	const a, b = "3f2c9b1e8d7a6f5e4d3c2b1a0f9e8d7c6b5a4f3e2d1c0b9a8f7e6d5c4b3a2f1e", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
	tests := []struct{ name, from, to, want string }{
		{"tags", "r.example.com/shop/web:v1", "r.example.com/shop/web:v2", "v1 → v2"},
		{"registry with a port", "localhost:5000/web:v1", "localhost:5000/web:v2", "v1 → v2"},
		{"no old one", "", "r.example.com/web:v2", "v2"},
		{"commits", "web:" + a[:40], "web:" + b[:40], "3f2c9b1 → 0011223"},
		{"digests", "web@sha256:" + a, "web@sha256:" + b, "3f2c9b1 → 0011223"},
		{"one tag, two digests", "web:v1@sha256:" + a, "web:v1@sha256:" + b, "v1@3f2c9b1 → v1@0011223"},
		{"one tag, then a digest", "web:v1", "web:v1@sha256:" + b, "v1@no digest → v1@0011223"},
		{"tag and digest", "web:v1@sha256:" + a, "web:v2@sha256:" + b, "v1 → v2"},
		{"other repository", "r.example.com/shop/web:v1", "r.example.com/store/web:v1", "shop/web:v1 → store/web:v1"},
		{"other registry", "a.example.com/web:v1", "b.example.com/web:v2", "a.example.com/web:v1 → b.example.com/web:v2"},
		{"no tag", "web", "web:v2", "web (latest) → v2"},
		{"the same", "web:v1", "web:v1", "v1 → v1"},
		{"a long tag", "web:v1", "web:feature-a-very-long-branch-name-1234", "v1 → feature-a-very-long-bra…"},
		{"hostile", "web:v1", "web:v2\x1b[2J\n::error::", "v1 → v2 ::error::"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Change(tt.from, tt.to)
			if tt.name == "hostile" {
				if strings.ContainsAny(got, "\x1b\n") {
					t.Errorf("got %q", got)
				}
				return
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestImages(t *testing.T) {
	from := map[string]string{"web": "x/web:v1", "proxy": "x/envoy:1.30"}
	if got, want := Images(from, map[string]string{"web": "x/web:v2", "proxy": "x/envoy:1.31", "new": "x/new:v1"}), "new v1, proxy 1.30 → 1.31, web v1 → v2"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestClean(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"plain", "a b\n  c", "a b\n  c"},
		{"colours", "\x1b[1;31mred\x1b[0m", "red"},
		{"cursor", "a\x1b[2J\x1b[1;1Hb", "ab"},
		{"title", "a\x1b]0;owned\x07b\x1b]8;;http://x\x1b\\link", "ablink"},
		{"unfinished", "a\x1b]0;owned\nb\x1b", "a\nb"},
		{"eight bit", "a\u009b31mb", "ab"},
		{"carriage return", "good\rbad\r\nend", "good\nbad\nend"},
		{"other line ends", "a\u2028::error::b\u0085c", "a\n: :error::b\nc"},
		{"bell, backspace, nul", "a\a\b\x00b", "ab"},
		{"direction", "a\u202eb\u2066c\u200bd", "abcd"},
		{"not UTF-8", "a\xffb", "a\uFFFDb"},
		{"command", "::add-mask::x", ": :add-mask::x"},
		{"command after spaces", " \t\u00a0::add-mask::x", "      : :add-mask::x"},
		{"command behind hidden characters", "\u200b\x1b[0m::add-mask::x", ": :add-mask::x"},
		{"old command", "a ##[add-mask]x", "a ## [add-mask]x"},
		{"old command, hidden", "a ##\u200b[add-mask]x", "a ## [add-mask]x"},
		{"other systems", "##vso[task.setvariable]x ##teamcity[x]", "## vso[task.setvariable]x ## teamcity[x]"},
		{"colons inside", "std::string", "std::string"},
		{"empty ends", "a\n\n \n", "a"},
		{"tabs", "a\tb", "a    b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Clean(tt.text); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestCleanKeepsBeginningAndEnd(t *testing.T) {
	text := Clean("first\n" + strings.Repeat("more\n", 1000) + "last\n" + strings.Repeat("x", 10_000))
	lines := strings.Split(text, "\n")
	if len(lines) != firstLines+lastLines+1 || lines[0] != "first" || lines[len(lines)-2] != "last" || Width(lines[len(lines)-1]) != longestLine {
		t.Errorf("%d lines: %q", len(lines), text)
	}
	if want := "… 967 more lines …"; lines[firstLines] != want {
		t.Errorf("got %q, want %q", lines[firstLines], want)
	}
}

// FuzzClean: whatever comes in, nothing that is obeyed comes out, and cleaning twice is cleaning once.
func FuzzClean(f *testing.F) {
	for _, seed := range []string{"", "a\x1b[31mb", "\x1b]0;x\x07", "##[", "####[[", "\u00a0::x::", "\r\n\t::", "\u009b", "a\u0301\u4e16"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := Clean(text)
		if strings.Contains(got, "##[") || Clean(got) != got && strings.Count(text, "\n") < 10 && len(text) < longestLine {
			t.Errorf("%q became %q, then %q", text, got, Clean(got))
		}
		for _, line := range strings.Split(got, "\n") {
			if strings.HasPrefix(strings.TrimLeftFunc(line, unicode.IsSpace), "::") {
				t.Errorf("%q has a command in %q", text, line)
			}
			for _, r := range line {
				if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
					t.Errorf("%q has %U", text, r)
				}
			}
		}
		if strings.ContainsRune(Line(text), '\n') {
			t.Errorf("%q is more than a line", Line(text))
		}
	})
}

func TestWidth(t *testing.T) {
	tests := []struct {
		text string
		want int
	}{{"", 0}, {"abc", 3}, {"äö", 2}, {"a\u0301", 1}, {"世界", 4}, {"🚀", 2}, {"✓▸·↶█░▁", 7}, {"한글", 4}}
	for _, tt := range tests {
		if got := Width(tt.text); got != tt.want {
			t.Errorf("%q: got %d, want %d", tt.text, got, tt.want)
		}
	}
}

func TestCutAndPad(t *testing.T) {
	tests := []struct {
		text  string
		width int
		want  string
	}{{"abc", 3, "abc"}, {"abcd", 3, "ab…"}, {"ab cd", 4, "ab…"}, {"世界世界", 5, "世界…"}, {"abc", 0, ""}, {"abc", 1, "…"}}
	for _, tt := range tests {
		if got := Cut(tt.text, tt.width); got != tt.want {
			t.Errorf("%q in %d: got %q, want %q", tt.text, tt.width, got, tt.want)
		}
	}
	if got := Pad("世", 4) + "|" + PadLeft("a", 3) + "|" + Pad("long", 2); got != "世  |  a|long" {
		t.Errorf("got %q", got)
	}
}

func TestWrap(t *testing.T) {
	tests := []struct {
		name, text string
		width      int
		want       []string
	}{
		{"short", "a b", 10, []string{"a b"}},
		{"at spaces", "one two three", 8, []string{"one two", "three"}},
		{"long word", "abcdefghij", 4, []string{"abcd", "efgh", "ij"}},
		{"long word after a short one", "a bcdefghijkl", 6, []string{"a bcde", "fghijk", "l"}},
		{"indented", "  one two", 6, []string{"  one", "  two"}},
		{"lines stay", "a\n\nb", 5, []string{"a", "", "b"}},
		{"narrower than a character", "世世", 1, []string{"世", "世"}},
		{"no room", "ab", 0, []string{"a", "b"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Wrap(tt.text, tt.width); strings.Join(got, "|") != strings.Join(tt.want, "|") {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
