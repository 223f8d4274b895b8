package gates_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/gates"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// looks turns one letter per look into what a gate answers: pass, fail, undecided, missing data, error.
var looks = map[rune]struct {
	verdict gates.Verdict
	err     error
}{
	'p': {verdict: gates.Verdict{Outcome: gates.Pass, Reason: "good"}},
	'f': {verdict: gates.Verdict{Outcome: gates.Fail, Reason: "bad"}},
	'u': {verdict: gates.Verdict{Outcome: gates.Pending, Reason: "undecided"}},
	'-': {verdict: gates.Verdict{Outcome: gates.Pending, NoData: true, Reason: "no series"}},
	'e': {err: errors.New("connection refused")},
	'!': {verdict: gates.Verdict{Outcome: gates.Pass, NoData: true, Reason: "a sloppy gate"}},
}

// letters turns standings back: P(ass), F(ail), . for pending, w for pending and paused.
func letter(s gates.Standing) string {
	switch {
	case s.Outcome == gates.Pass:
		return "P"
	case s.Outcome == gates.Fail:
		return "F"
	case s.Paused:
		return "w"
	case s.Outcome == gates.Pending:
		return "."
	}
	return "?"
}

func TestJudge(t *testing.T) {
	noDataFor3m := func(r gates.Rule) gates.Rule { r.NoDataFor = 3 * time.Minute; return r }
	for _, tt := range []struct {
		name string
		rule gates.Rule
		// One look a minute, the first a minute after the start.
		looks, want string
	}{
		{"no rule is one failure", gates.Rule{}, "pf", "PF"},
		{"undecided is neither", gates.Rule{Of: 1}, "upu", ".P."},

		{"consecutive: the third undoes", gates.Rule{Of: 3, In: 3}, "fff", "..F"},
		{"consecutive: a pass starts over", gates.Rule{Of: 3, In: 3}, "ffpffpfff", "..P..P..F"},
		{"consecutive: in left out", gates.Rule{Of: 3}, "ffpfff", "..P..F"},
		{"consecutive: undecided does not count", gates.Rule{Of: 2, In: 2}, "fuf", "..F"},
		{"consecutive: missing data does not count", gates.Rule{Of: 2, In: 2}, "f-ef", "...F"},

		{"scant: missing data is not waited for, an error is", noDataFor3m(gates.Rule{NoData: gates.NoDataScant}), "-pe--f", "PP.PPF"},
		{"scant: a provider that stays away undoes", noDataFor3m(gates.Rule{NoData: gates.NoDataScant}), "eeeeee", "..wwwF"},

		{"3 of 5", gates.Rule{Of: 3, In: 5}, "fpfpf", ".P.PF"},
		{"3 of 5: the oldest is forgotten", gates.Rule{Of: 3, In: 5}, "fppfpf", ".PP.P."},
		{"3 of 5: passing goes on while failures are few", gates.Rule{Of: 3, In: 5}, "ffppp", "..PPP"},
		{"3 of 5: fewer looks than five", gates.Rule{Of: 3, In: 5}, "fff", "..F"},
		{"in below of", gates.Rule{Of: 3, In: 1}, "fff", "..F"},

		{"wait: pause at noDataFor, undo at twice", noDataFor3m(gates.Rule{NoData: gates.NoDataWait}), "------", "..wwwF"},
		{"wait is the default", noDataFor3m(gates.Rule{}), "------", "..wwwF"},
		{"wait: an error is missing data", noDataFor3m(gates.Rule{}), "eeeeee", "..wwwF"},
		{"wait: data ends the wait", noDataFor3m(gates.Rule{}), "---p---f", "..wP..wF"},
		{"wait: undecided is data", noDataFor3m(gates.Rule{}), "--u--p", ".....P"},
		{"wait: a failure is data", noDataFor3m(gates.Rule{Of: 2}), "--f--p", ".....P"},
		{"wait: undone however many failures are allowed", noDataFor3m(gates.Rule{Of: 5}), "------", "..wwwF"},
		{"wait: five minutes by default", gates.Rule{}, "----------", "....wwwwwF"},
		{"wait: missing data is no pass, whatever the gate says", noDataFor3m(gates.Rule{}), "!!!", "..w"},

		{"fail: at once", gates.Rule{NoData: gates.NoDataFail}, "p-", "PF"},
		{"fail: under the rule", gates.Rule{NoData: gates.NoDataFail, Of: 2}, "-pe-", ".P.F"},
		{"fail: for an error too", gates.Rule{NoData: gates.NoDataFail}, "e", "F"},
		{"pass: written out", gates.Rule{NoData: gates.NoDataPass}, "-e", "PP"},
		{"pass: for ever", noDataFor3m(gates.Rule{NoData: gates.NoDataPass}), "--------", "PPPPPPPP"},
		{"pass: only for missing data", gates.Rule{NoData: gates.NoDataPass}, "-fu", "PF."},
		{"pass: does not wash failures away", gates.Rule{NoData: gates.NoDataPass, Of: 2, In: 2}, "f-f", ".PF"},

		{"the delay is the engine's business", gates.Rule{Delay: time.Hour}, "f", "F"},
		{"a dry run is judged all the same", gates.Rule{DryRun: true}, "f", "F"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := gates.NewJudge(tt.rule, start)
			var got strings.Builder
			for i, l := range tt.looks {
				now := start.Add(time.Duration(i+1) * time.Minute)
				s := j.Observe(now, looks[l].verdict, looks[l].err)
				got.WriteString(letter(s))
				if s != j.Standing() {
					t.Errorf("look %d: the standing is not what was returned", i+1)
				}
				if !s.At.Equal(now) || s.Reason == "" {
					t.Errorf("look %d: standing %+v", i+1, s)
				}
			}
			if got.String() != tt.want {
				t.Errorf("looks %s\ngot   %s\nwant  %s", tt.looks, got.String(), tt.want)
			}
		})
	}
}

func TestJudgeBeforeTheFirstLook(t *testing.T) {
	j := gates.NewJudge(gates.Rule{NoData: gates.NoDataPass}, start)
	if s := j.Standing(); s.Outcome != gates.Pending || j.Asked() || !s.At.Equal(start) {
		t.Errorf("asked %v, standing %+v", j.Asked(), s)
	}
	j.Observe(start, gates.Verdict{Outcome: gates.Pending}, nil)
	if !j.Asked() {
		t.Error("asked, and does not say so")
	}
}

func TestJudgeReasons(t *testing.T) {
	for _, tt := range []struct {
		name  string
		rule  gates.Rule
		look  rune
		after time.Duration
		want  string
	}{
		{"a failure that is not enough", gates.Rule{Of: 3}, 'f', time.Minute, "bad (1 of 3 failures that undo the rollout)"},
		{"one that is", gates.Rule{}, 'f', time.Minute, "bad"},
		{"missing", gates.Rule{}, '-', time.Minute, "no series"},
		{"an error", gates.Rule{}, 'e', time.Minute, "connection refused"},
		{"paused", gates.Rule{}, '-', 6 * time.Minute, "no data for 6m0s: no series; the rollout waits and will be undone after 10m0s without data"},
		{"undone", gates.Rule{}, 'e', 10 * time.Minute, "no data for 10m0s, twice noDataFor: connection refused"},
		{"noData: fail", gates.Rule{NoData: gates.NoDataFail}, '-', 0, "no series (noData: fail)"},
		{"noData: pass", gates.Rule{NoData: gates.NoDataPass}, 'e', 0, "connection refused (noData: pass)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := gates.NewJudge(tt.rule, start).Observe(start.Add(tt.after), looks[tt.look].verdict, looks[tt.look].err)
			if s.Reason != tt.want {
				t.Errorf("got  %s\nwant %s", s.Reason, tt.want)
			}
		})
	}
}

func TestJudgeKeepsTheEvidence(t *testing.T) {
	evidence := gates.Evidence{Query: "up", Value: gates.Number(0.5)}
	for _, err := range []error{nil, errors.New("down")} {
		s := gates.NewJudge(gates.Rule{}, start).Observe(start, gates.Verdict{Outcome: gates.Fail, Evidence: evidence}, err)
		if s.Evidence != evidence {
			t.Errorf("with error %v: evidence %+v", err, s.Evidence)
		}
	}
}
