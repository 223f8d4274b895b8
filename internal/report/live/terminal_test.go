package live_test

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/report/live"
	"github.com/tidegate/tidegate/internal/report/story"
)

// screen is a terminal that knows what a Terminal writes: text, \r, \n, cursor up, erase. Lines that are too wide wrap.
type screen struct {
	width    int
	rows     [][]rune
	row, col int
}

var sequence = regexp.MustCompile("^\x1b\\[(\\??[0-9;]*)([A-Za-z])")

func (s *screen) write(t *testing.T, text string) {
	t.Helper()
	for text != "" {
		if m := sequence.FindStringSubmatch(text); m != nil {
			s.obey(t, m[1], m[2])
			text = text[len(m[0]):]
			continue
		}
		r, size := utf8.DecodeRuneInString(text)
		text = text[size:]
		switch r {
		case '\r':
			s.col = 0
		case '\n':
			s.row, s.col = s.row+1, 0
		case 0x1b:
			t.Fatalf("unknown sequence %q", text)
		default:
			if s.col == s.width {
				s.row, s.col = s.row+1, 0
			}
			s.put(r)
		}
	}
}

func (s *screen) put(r rune) {
	s.grow()
	line := s.rows[s.row]
	for len(line) <= s.col {
		line = append(line, ' ')
	}
	line[s.col] = r
	s.rows[s.row] = line
	s.col++
}

func (s *screen) grow() {
	for len(s.rows) <= s.row {
		s.rows = append(s.rows, nil)
	}
}

func (s *screen) obey(t *testing.T, argument, command string) {
	t.Helper()
	s.grow()
	switch command {
	case "A":
		n, err := strconv.Atoi(argument)
		if err != nil {
			t.Fatal(err)
		}
		s.row = max(s.row-n, 0)
	case "K":
		s.rows[s.row] = s.rows[s.row][:min(s.col, len(s.rows[s.row]))]
	case "J":
		s.rows = s.rows[:s.row+1]
		s.rows[s.row] = s.rows[s.row][:min(s.col, len(s.rows[s.row]))]
	case "m", "h", "l":
	default:
		t.Fatalf("unknown sequence %q %q", argument, command)
	}
}

// resize wraps what is on the screen anew, as terminals do.
func (s *screen) resize(width int) {
	var rows [][]rune
	for i, line := range s.rows {
		if i == s.row {
			s.row = len(rows)
		}
		for len(line) > width {
			rows = append(rows, slices.Clone(line[:width]))
			line = line[width:]
		}
		rows = append(rows, slices.Clone(line))
	}
	s.rows, s.width = rows, width
}

func (s *screen) text() string {
	var lines []string
	for _, line := range s.rows {
		lines = append(lines, strings.TrimRight(string(line), " "))
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
}

func TestTerminalRedrawsInPlace(t *testing.T) {
	s := &screen{width: 20}
	prompt := "$ tidegate deploy\n"
	s.write(t, prompt)
	var b bytes.Buffer
	term := live.NewTerminal(&b, true)
	draw := func(frame string) {
		t.Helper()
		b.Reset()
		if err := term.Draw(frame, s.width); err != nil {
			t.Fatal(err)
		}
		s.write(t, b.String())
		if want := prompt + live.Plain(frame); s.text() != want {
			t.Errorf("got:\n%swant:\n%s", s.text(), want)
		}
	}
	draw("one\n\x1b[31mtwo is long\x1b[0m\nthree\n")
	draw("one\ntwo\n")
	draw("1\n2 2 2 2 2 2 2 2 2 20\n3\n4\n")
	s.resize(7)
	prompt = "$ tideg\nate dep\nloy\n"
	draw("a\nb\n")
	s.resize(30)
	draw("a\nb and more of it\nc\n")
}

func TestTerminalWithoutColours(t *testing.T) {
	var b bytes.Buffer
	if err := live.NewTerminal(&b, false).Draw("\x1b[31mred\x1b[0m\n", 80); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "[31m") || !strings.Contains(b.String(), "red") {
		t.Errorf("%q", b.String())
	}
}

func TestTerminalLeavesWhatItDrew(t *testing.T) {
	var b bytes.Buffer
	s := &screen{width: 20}
	term := live.NewTerminal(&b, true)
	for _, frame := range []string{"one\n", "two\n"} {
		if err := term.Draw(frame, 20); err != nil {
			t.Fatal(err)
		}
		term.Leave()
	}
	if s.write(t, b.String()); s.text() != "one\ntwo\n" {
		t.Errorf("%q", s.text())
	}
}

func TestColours(t *testing.T) {
	tests := []struct {
		name, noColor, term string
		want                bool
	}{
		{"usual", "", "xterm-256color", true},
		{"NO_COLOR", "1", "xterm", false},
		{"dumb", "", "dumb", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := live.Colours(tt.noColor, tt.term); got != tt.want {
				t.Errorf("got %t", got)
			}
		})
	}
}

// broken cannot be written to.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestScreenFollowsARollout(t *testing.T) {
	tale := story.Bad()
	var b bytes.Buffer
	s := &screen{width: 80}
	shown := live.NewScreen(live.NewTerminal(&b, true), func() (int, int) { return 80, 24 })
	for _, e := range tale.Events {
		b.Reset()
		shown.Handle(context.Background(), e)
		shown.SetPods([]report.Pods{four})
		shown.Tick(e.At.Add(time.Second))
		s.write(t, b.String())
	}
	state := told(tale, four)
	if want := live.Plain(live.Frame(state, 80, 24, tale.Now().Add(time.Second))); s.text() != want {
		t.Errorf("got:\n%s\nwant:\n%s", s.text(), want)
	}
	nowhere := live.NewScreen(live.NewTerminal(broken{}, true), func() (int, int) { return 80, 24 })
	nowhere.Show(*tale.Record.Rollout, tale.Now()) // does not panic, and has nobody to tell
}

func TestRecordsReadAgainAndAgainKeepTheirValues(t *testing.T) {
	var state live.State
	for i := range 3 {
		s := story.During(2, time.Duration(i+1)*10*time.Second)
		state.Follow(*s.Record.Rollout)
	}
	frame := live.Plain(live.Frame(state, 80, 24, time.Time{}))
	if !regexp.MustCompile(`✓ errors .*[▁-█]{4}  `).MatchString(frame) { // one of step shift-5, three of shift-25
		t.Errorf("the sparkline is missing:\n%s", frame)
	}
}

func TestEventsWithoutARolloutKeepTheLast(t *testing.T) {
	state := told(story.During(2, time.Minute))
	state.Apply(engine.Event{Kind: engine.EventInfo, At: time.Date(2026, 3, 14, 3, 5, 0, 0, time.UTC), Message: "the candidate: 1 of 2 pods"})
	frame := live.Plain(live.Frame(state, 100, 40, time.Date(2026, 3, 14, 3, 5, 0, 0, time.UTC)))
	if !strings.Contains(frame, "shift-25") || !strings.Contains(frame, "1 of 2 pods") {
		t.Errorf("got:\n%s", frame)
	}
}
