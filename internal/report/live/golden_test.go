package live_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/report/live"
	"github.com/tidegate/tidegate/internal/report/story"
	"github.com/tidegate/tidegate/internal/report/words"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got:\n%s\nwant (%s):\n%s", got, path, want)
	}
}

// told is the state after a story.
func told(s *story.Story, pods ...report.Pods) live.State {
	var state live.State
	for _, e := range s.Events {
		state.Apply(e)
	}
	state.Pods = pods
	return state
}

var four = report.Pods{Side: "base", Ready: 4, Want: 4}

// scenes are the moments at which frames are looked at.
func scenes() map[string]func() (live.State, time.Time) {
	at := func(s *story.Story, pods ...report.Pods) func() (live.State, time.Time) {
		return func() (live.State, time.Time) { return told(s, pods...), s.Now() }
	}
	one, two := report.Pods{Side: "candidate", Ready: 1, Want: 1}, report.Pods{Side: "candidate", Ready: 1, Want: 2}
	return map[string]func() (live.State, time.Time){
		"good-begin":  at(story.Beginning(), four, report.Pods{Side: "candidate", Want: 1}),
		"good-25":     at(story.During(2, 80*time.Second), four, one),
		"good-50":     at(story.During(3, 3*time.Minute), four, two),
		"good-full":   at(story.During(4, 9*time.Minute+50*time.Second), four, report.Pods{Side: "candidate", Ready: 4, Want: 4}),
		"good-settle": at(story.Settling(), report.Pods{Side: "base", Ready: 2, Want: 4}, report.Pods{Side: "candidate", Ready: 4, Want: 4}),
		"good-end":    at(story.Good(), four),
		"bad-doubt":   at(story.Doubtful(), four, one),
		"bad-turned":  at(story.Turned(), four, one),
		"bad-back":    at(story.Turned().Back(1, 3*time.Second), four, one),
		"bad-end":     at(story.Bad(), four),
		"no-data":     at(story.Waiting(), four, one),
		"detached":    at(story.Left().Wait(2*time.Hour), four, one),
		"waiting":     at(story.Asked().Wait(2*time.Hour), four, one),
		"crashed":     at(story.Crashed(), four),
		"stuck":       at(story.Stuck(), four, one),
		"cancelled":   at(story.Cancelled(), four, one),
		"from-record": func() (live.State, time.Time) {
			s := story.During(2, time.Minute)
			return live.FromRecord(&s.Record), s.Now()
		},
		"empty": func() (live.State, time.Time) { return live.FromRecord(nil), time.Time{} },
	}
}

func TestFrames(t *testing.T) {
	for name, scene := range scenes() {
		for _, size := range [][2]int{{80, 24}, {120, 40}} {
			t.Run(fmt.Sprintf("%s/%dx%d", name, size[0], size[1]), func(t *testing.T) {
				state, now := scene()
				frame := live.Plain(live.Frame(state, size[0], size[1], now))
				fits(t, frame, size[0], size[1])
				golden(t, fmt.Sprintf("%s-%dx%d.txt", name, size[0], size[1]), frame)
			})
		}
	}
}

// fits fails when a frame is larger than the terminal that it was made for.
func fits(t *testing.T, frame string, width, height int) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(frame, "\n"), "\n")
	if len(lines) >= height {
		t.Errorf("%d lines do not fit %d rows, of which one is the cursor's", len(lines), height)
	}
	for _, line := range lines {
		if n := words.Width(line); n > width {
			t.Errorf("%d columns of %d: %q", n, width, line)
		}
	}
}

func TestFramesFitEveryTerminal(t *testing.T) {
	for name, scene := range scenes() {
		state, now := scene()
		for _, width := range []int{20, 79, 100, 160} {
			for _, height := range []int{3, 9, 14, 19, 24, 60} {
				frame := live.Frame(state, width, height, now)
				fits(t, live.Plain(frame), width, height)
				if strings.ContainsRune(live.Plain(frame), 0x1b) {
					t.Fatalf("%s: an escape sequence is left in %q", name, frame)
				}
			}
		}
	}
}

func TestFrameHasColours(t *testing.T) {
	state, now := scenes()["bad-turned"]()
	golden(t, "colours.txt", strings.ReplaceAll(live.Frame(state, 80, 24, now), "\x1b", "␛"))
}

func TestForeignTextCannotCommandTheTerminal(t *testing.T) {
	state, now := scenes()["crashed"]()
	state.Rollout.Plan.Target.Name = "a\x1b[2Jb"
	state.Rollout.Plan.Steps[0].Title = "c\x1b]0;title\x07d\r\ne"
	if frame := live.Plain(live.Frame(state, 120, 40, now)); strings.ContainsAny(frame, "\x1b\x07\r") {
		t.Errorf("%q", frame)
	}
}
