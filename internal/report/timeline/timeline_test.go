package timeline_test

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/report/story"
	"github.com/tidegate/tidegate/internal/report/timeline"
)

func heard(t *testing.T, events []engine.Event) timeline.Data {
	t.Helper()
	var line timeline.Timeline
	for _, e := range events {
		line.Handle(t.Context(), e)
	}
	return line.Data()
}

// text is the shares and marks with their seconds since the start.
func text(d timeline.Data) (shares, marks []string) {
	for _, s := range d.Shares {
		shares = append(shares, fmt.Sprint(s.At.Sub(d.Start).Seconds(), " ", s.Share))
	}
	for _, m := range d.Marks {
		name := m.Text
		if m.Kind == timeline.Undoing {
			name = ""
		}
		marks = append(marks, fmt.Sprint(m.At.Sub(d.Start).Seconds(), " ", m.Kind, " ", name))
	}
	return shares, marks
}

func TestTimeline(t *testing.T) {
	tests := []struct {
		name   string
		story  *story.Story
		shares []string
		marks  []string
		looks  int // of the gate errors
	}{
		{"bad", story.Bad(), []string{"0 0%", "14 5%", "141 25%", "264 0%"},
			[]string{"7 in-force candidate", "14 in-force shift-5", "141 in-force shift-25", "261 undoing ", "264 restored ", "270 ended rolled-back"}, 26},
		{"crashed", story.Crashed(), []string{"0 0%"}, []string{"12.001 undoing ", "15.001 ended rolled-back"}, 0},
		{"cancelled", story.Cancelled(), []string{"0 0%", "14 5%", "141 25%"},
			[]string{"7 in-force candidate", "14 in-force shift-5", "141 in-force shift-25", "184 ended stopped"}, 18},
		{"stuck", story.Stuck(), []string{"0 0%", "14 5%", "141 25%", "264 0%"},
			[]string{"7 in-force candidate", "14 in-force shift-5", "141 in-force shift-25", "261 undoing ", "264 restored ", "384 ended undo-failed"}, 26},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := heard(t, tt.story.Events)
			shares, marks := text(d)
			if !reflect.DeepEqual(shares, tt.shares) || !reflect.DeepEqual(marks, tt.marks) {
				t.Errorf("shares %q, marks %q", shares, marks)
			}
			looks := 0
			for _, s := range d.Gates {
				if s.Gate == "errors" {
					looks = len(s.Looks)
				}
			}
			if looks != tt.looks {
				t.Errorf("%d looks", looks)
			}
			if !d.End.Equal(tt.story.Now()) {
				t.Errorf("ends at %s", d.End)
			}
		})
	}
}

// A run that carries a rollout on knows from the record what was before.
func TestResumedBeginsWithTheRecord(t *testing.T) {
	d := heard(t, story.Resumed().Events)
	shares, _ := text(d)
	if want := []string{"0 0%", "14 5%"}; len(shares) < 3 || !reflect.DeepEqual(shares[:2], want) {
		t.Errorf("shares %q", shares)
	}
	if d.Gates[1].Gate != "errors" || d.Gates[1].Looks[0].At.Sub(d.Start) != 134*time.Second {
		t.Errorf("the first look is %v", d.Gates[1].Looks[0])
	}
	ro := story.Bad().Record.Rollout
	shares, marks := text(timeline.Of(*ro, time.Time{}))
	if shares[len(shares)-1] != "270 0%" || marks[len(marks)-1] != "270 ended rolled-back" {
		t.Errorf("of the record alone: %q, %q", shares, marks)
	}
	if d := timeline.Of(engine.Rollout{}, time.Time{}); d.Start != (time.Time{}) {
		t.Errorf("of nothing: %v", d)
	}
}

// look is a look of the gate errors in a rollout.
func look(ro engine.Rollout, at time.Time, value float64, o gates.Outcome) engine.Event {
	s := gates.Standing{Verdict: gates.Verdict{Outcome: o, Evidence: gates.Evidence{Value: &value}}, At: at, Looked: o}
	return engine.Event{At: at, Kind: engine.EventVerdict, Step: "shift-5", Gate: "errors", Look: &s, Rollout: ro}
}

func TestManyLooksAreThinnedEvenly(t *testing.T) {
	ro := *story.Beginning().Record.Rollout
	for _, n := range []int{399, 400, 401, 3000, 12345} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			var line timeline.Timeline
			for i := range n {
				outcome := gates.Pass
				if i == n/3 {
					outcome = gates.Fail
				}
				line.Handle(t.Context(), look(ro, ro.Started.Add(time.Duration(i+1)*time.Second), float64(i), outcome))
			}
			looks := line.Data().Gates[0].Looks
			if len(looks) > timeline.Limit || len(looks) < min(n, timeline.Limit)*2/5 {
				t.Fatalf("%d looks of %d are kept", len(looks), n)
			}
			if last := *looks[len(looks)-1].Value; last != float64(n-1) {
				t.Errorf("the last one is %g", last)
			}
			fails, widest := 0, time.Duration(0)
			for i, l := range looks {
				if l.Outcome == gates.Fail {
					fails++
				}
				if i > 0 {
					if widest = max(widest, l.At.Sub(looks[i-1].At)); !l.At.After(looks[i-1].At) {
						t.Fatalf("look %d is not after the one before", i)
					}
				}
			}
			if fails != 1 {
				t.Errorf("%d failures are kept, there was one", fails)
			}
			if most := 4 * time.Duration(n) * time.Second / time.Duration(len(looks)); widest > most {
				t.Errorf("the widest gap is %s, of %s at most", widest, most)
			}
		})
	}
}

func TestNothingGrowsWithoutEnd(t *testing.T) {
	ro := *story.During(2, 40*time.Second).Record.Rollout
	var line timeline.Timeline
	for i := range 3000 {
		at := ro.Started.Add(time.Duration(i) * time.Hour)
		ro.Step = 1 + i%2
		line.Handle(t.Context(), engine.Event{At: at, Kind: engine.EventInForce, Step: fmt.Sprint("s", i), Rollout: ro})
		e := look(ro, at, 1, gates.Pass)
		e.Gate = fmt.Sprint("gate-", i)
		line.Handle(t.Context(), e)
	}
	line.Handle(t.Context(), engine.Event{At: ro.Started.Add(time.Hour * 9999), Kind: engine.EventUndoing, Rollout: ro})
	d := line.Data()
	if len(d.Shares) > timeline.Limit || len(d.Marks) > 200 || len(d.Gates) > 50 {
		t.Errorf("%d shares, %d marks, %d gates", len(d.Shares), len(d.Marks), len(d.Gates))
	}
	if last := d.Marks[len(d.Marks)-1]; last.Kind != timeline.Undoing {
		t.Errorf("the last mark is %v", last)
	}
}

func TestAnotherRolloutBeginsAnew(t *testing.T) {
	first, second := story.Superseded(), story.Bad()
	for i := range second.Events {
		second.Events[i].Rollout.ID = "another"
	}
	if got, want := heard(t, append(first.Events, second.Events...)), heard(t, second.Events); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestJSON(t *testing.T) {
	d := heard(t, story.Silenced().Events)
	data, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var back timeline.Data
	if err := json.Unmarshal(data, &back); err != nil || !reflect.DeepEqual(back, d) {
		t.Errorf("it comes back as %v, %v", back, err)
	}
}

func TestResampling(t *testing.T) {
	d := heard(t, story.Bad().Events)
	times := d.Times(28) // one every 10 s
	if len(times) != 28 || times[0] != d.Start || !times[27].Equal(d.End) {
		t.Fatalf("%v", times)
	}
	if a, b, c := d.ShareAt(times[1]), d.ShareAt(times[20]), d.ShareAt(times[27]); a != 0 || b != 25*plan.OnePercent || c != 0 {
		t.Errorf("%s, %s, %s", a, b, c)
	}
	values := d.Gates[1].At(times)
	if values[1] != nil || values[2] == nil || *values[2] != 0.00202 || *values[25] != 0.1 || math.Abs(*values[26]-0.21) > 1e-9 {
		t.Errorf("%v, %g, %g, %g", values[:2], *values[2], *values[25], *values[26])
	}
	if coarse := d.Gates[1].At(d.Times(3)); *coarse[2] != 0.32 { // the last of the failures in the second half
		t.Errorf("%v", *coarse[2])
	}
	if v := d.Gates[2].At(d.Times(271)); v[251] == nil || v[253] != nil { // latency was asked for the last time after 251 s
		t.Errorf("%v, %v", v[251], v[253])
	}
	if (timeline.Data{}).Times(10) != nil {
		t.Error("no time passed, and there are moments in it")
	}
	if got := d.RestoredAt().Sub(d.Start); got != 264*time.Second {
		t.Errorf("restored after %s", got)
	}
}

func TestConcurrentUse(t *testing.T) {
	var line timeline.Timeline
	var group sync.WaitGroup
	for _, s := range []*story.Story{story.Bad(), story.Good()} {
		group.Go(func() {
			for _, e := range s.Events {
				line.Handle(t.Context(), e)
			}
		})
	}
	group.Go(func() {
		for range 200 {
			d := line.Data()
			for i := range d.Shares {
				d.Shares[i].Share = plan.All
			}
		}
	})
	group.Wait()
	if peak := line.Data().ShareAt(story.Good().Events[0].At.Add(20 * time.Second)); peak != 5*plan.OnePercent {
		t.Errorf("a reader changed what is kept: %s", peak)
	}
}

// TestSharesOfUsers: a chart of a sticky rollout is one of users.
func TestSharesOfUsers(t *testing.T) {
	for of, cohorts := range map[string]*plan.Cohorts{"requests": nil, "users": {Odds: []plan.Share{plan.All}}} {
		s := story.Good()
		s.Record.Rollout.Plan.Steps[1].Do[1].Cohorts = cohorts
		for what, d := range map[string]timeline.Data{"events": heard(t, s.Events), "record": timeline.Of(*s.Record.Rollout, s.Now())} {
			if d.Of() != of || (d.Title() == "Users who meet the new version") != (of == "users") {
				t.Errorf("by the %s it is a chart of %s: %s; want %s", what, d.Of(), d.Title(), of)
			}
		}
	}
}
