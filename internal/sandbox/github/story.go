package github

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Problems are the requests that GitHub's description does not allow, each with what is wrong. A test wants none.
func (s *Server) Problems() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.problems)
}

// Requests are all that were received, in order.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Story writes what was told in aligned lines: every status of every deployment, what each commit status, check run and
// comment says now, and how many requests it took.
func (s *Server) Story(w io.Writer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var told lines
	for _, d := range s.state.deployments {
		told.deployment(d)
	}
	for _, sha := range slices.Sorted(maps.Keys(s.state.statuses)) {
		for _, status := range latest(s.state.statuses[sha]) {
			told.add("status", status.Context, status.State, status.Description)
		}
	}
	for _, run := range s.state.checks {
		told.add("check", run.Name, cmp.Or(run.Conclusion, run.Status), run.Title)
	}
	for _, comment := range s.state.comments {
		told.add("comment", fmt.Sprintf("on #%d", comment.Issue), "", comment.Body)
	}
	_, err := fmt.Fprintf(w, "%s%s\n", told.aligned(), counted(len(s.requests), "request"))
	return err
}

// lines are what is said of, where, the state it is in, and the words.
type lines [][4]string

func (l *lines) add(what, where, state, text string) {
	*l = append(*l, [4]string{what, where, state, firstLine(text)})
}

func (l *lines) deployment(d Deployment) {
	what, where := fmt.Sprintf("deployment %d", d.ID), fmt.Sprintf("%s at %.7s", d.Environment, d.SHA)
	if len(d.Statuses) == 0 {
		l.add(what, where, "created", d.Description)
	}
	for _, status := range d.Statuses {
		l.add(what, where, status.State, status.Description)
		what, where = "", "" // said once
	}
}

func (l lines) aligned() string {
	var widths [4]int
	for _, line := range l {
		for i, cell := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, line := range l {
		var text string
		for i, cell := range line {
			text += fmt.Sprintf("%-*s  ", widths[i], cell)
		}
		b.WriteString(strings.TrimRight(text, " ") + "\n")
	}
	return b.String()
}

// latest is the last status of each context, in the order of their first.
func latest(all []CommitStatus) []CommitStatus {
	var found []CommitStatus
	for _, status := range all {
		if i := slices.IndexFunc(found, func(f CommitStatus) bool { return f.Context == status.Context }); i >= 0 {
			found[i] = status
		} else {
			found = append(found, status)
		}
	}
	return found
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// firstLine is the first line that a person would see: a comment may begin with a hidden marker.
func firstLine(text string) string {
	for text := range strings.Lines(text) {
		if text = strings.TrimSpace(text); text != "" && !strings.HasPrefix(text, "<!--") {
			return text
		}
	}
	return ""
}
