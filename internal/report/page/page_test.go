package page_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/report/page"
	"github.com/tidegate/tidegate/internal/report/sheet"
	"github.com/tidegate/tidegate/internal/report/sheet/scene"
	"github.com/tidegate/tidegate/internal/report/story"
)

var (
	tag     = regexp.MustCompile(`</?([a-zA-Z!][a-zA-Z0-9]*)`)
	address = regexp.MustCompile(`(?:href|src|action|url|data|poster)\s*[=(]\s*"?([^" )>]*)`)
)

func tags(html []byte) (names []string) {
	for _, m := range tag.FindAllStringSubmatch(string(html), -1) {
		names = append(names, m[0])
	}
	return names
}

// spoiled is the end of a bad rollout with some text wherever text can stand.
func spoiled(t *testing.T, text string) sheet.Input {
	t.Helper()
	s := story.Bad()
	for i := range s.Events {
		s.Events[i].Step += text
		if s.Events[i].Gate == "errors" {
			s.Events[i].Gate = text
		}
	}
	ro := s.Record.Rollout
	ro.ID, ro.Holder, ro.Reason, ro.Plan.Strategy = text, text, text, text
	ro.Plan.Target.Name, ro.Plan.Target.Namespace = text, text
	ro.Plan.Target.Images, ro.Plan.Target.From = map[string]string{text: text}, map[string]string{text: text + "x"}
	for i := range ro.Plan.Steps {
		ro.Plan.Steps[i].ID, ro.Plan.Steps[i].Title = text+ro.Plan.Steps[i].ID, text
		for name, tally := range ro.Steps[i].Gates {
			tally.Last.Reason, tally.Last.Evidence.Query, tally.Last.Evidence.Link = text, text, text
			ro.Steps[i].Gates[name] = tally
		}
	}
	in := scene.Of(t.Context(), report.RolledBack, s)
	in.Environment, in.CommitSHA, in.RunURL = text, text, "https://example.com/?x="+text
	return in
}

func TestHostileTextChangesNothingButWords(t *testing.T) {
	want := tags(page.HTML(spoiled(t, "harmless")))
	for _, text := range []string{
		`</title><script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, "javascript:alert(1)", "</style><style>*{}", "--><svg onload=alert(1)>",
		`{{.}}`, "url(https://evil.example)", "M0 0\"/><image href=\"https://evil.example\"/>", "&lt;b&gt;", strings.Repeat("<b>", 5000), "a\u202eb\u200bc\u0000", "%%{init}%%",
	} {
		html := page.HTML(spoiled(t, text))
		if got := tags(html); !slices.Equal(got, want) {
			t.Errorf("%.40q: %d tags, %d for harmless text", text, len(got), len(want))
		}
		if strings.ContainsAny(string(html), "\u202e\u200b\u0000\x1b") || strings.Contains(string(html), "ZgotmplZ") {
			t.Errorf("%.40q is in the page as it is", text)
		}
		for _, m := range regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(string(html), -1) {
			if !strings.HasPrefix(m[1], "https://") {
				t.Errorf("%.40q: a link to %q", text, m[1])
			}
		}
	}
}

func TestThePageNeedsNothingElse(t *testing.T) {
	for _, s := range scene.All(t.Context()) {
		html := string(page.HTML(s.Input))
		if strings.Contains(html, "<script") || strings.Contains(html, "@import") || strings.Contains(html, "<link") || strings.Contains(html, "ZgotmplZ") {
			t.Errorf("%s loads something, or the template refused something", s.Name)
		}
		for _, m := range address.FindAllStringSubmatch(html, -1) {
			if a := m[1]; !strings.Contains(html, `<a rel="noopener noreferrer" href="`+a+`"`) {
				t.Errorf("%s: %s", s.Name, m[0])
			}
		}
		for _, name := range []string{"html", "head", "style", "body", "main", "section", "figure", "svg", "table", "dl", "details", "ul", "title"} {
			open, closed := len(regexp.MustCompile(`<`+name+`[ >]`).FindAllString(html, -1)), strings.Count(html, "</"+name+">")
			if open != closed {
				t.Errorf("%s: <%s> opens %d times and closes %d times", s.Name, name, open, closed)
			}
		}
	}
}

func TestTheChartShowsWhatHappened(t *testing.T) {
	tests := []struct {
		name   string
		story  *story.Story
		result report.Result
		fails  int
		has    []string
	}{
		{"bad", story.Bad(), report.RolledBack, 3, []string{`class="at undoing"`, `class="at restored"`, `<span>32%</span>`, `d="M0 100H51.9V95H522.2V75H977.8V100H1000"`, "going back"}},
		{"good", story.Good(), report.Succeeded, 0, []string{`class="area"`, `<span>0.202%</span>`, "23m 3s"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			html := string(page.HTML(scene.Of(t.Context(), tt.result, tt.story)))
			if n := strings.Count(html, `class="dot fail"`); n != tt.fails {
				t.Errorf("%d failed looks are drawn", n)
			}
			for _, part := range tt.has {
				if !strings.Contains(html, part) {
					t.Errorf("%s is missing", part)
				}
			}
		})
	}
}
