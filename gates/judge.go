package gates

import (
	"fmt"
	"time"
)

// Judge turns a row of looks into a standing, under one rule. It belongs to one step of one rollout; it is not safe for
// concurrent use.
type Judge struct {
	rule     Rule
	recent   []bool // failures among the last rule.In looks that judged something
	lastData time.Time
	asked    bool
	standing Standing
}

// Standing is what a gate's looks amount to so far.
type Standing struct {
	Verdict
	At time.Time `json:"at"`
	// Looked is what the last look said by itself: a look may fail while the standing is pending still (failures: 3).
	Looked Outcome `json:"-"`
	// Paused says that data has been missing for longer than the rule allows: a person should look.
	Paused bool `json:"paused,omitempty"`
}

// NewJudge starts judging at start; data counts as missing from then on.
func NewJudge(rule Rule, start time.Time) *Judge {
	rule.Of = max(rule.Of, 1)
	rule.In = max(rule.In, rule.Of)
	if rule.NoDataFor <= 0 {
		rule.NoDataFor = DefaultNoDataFor
	}
	return &Judge{rule: rule, lastData: start, standing: Standing{
		Verdict: Verdict{Outcome: Pending, Reason: "not asked yet"}, At: start,
	}}
}

// Standing is the present one.
func (j *Judge) Standing() Standing { return j.standing }

// Asked tells whether the gate has answered at least once.
func (j *Judge) Asked() bool { return j.asked }

// Observe takes one look's answer (or the error that prevented it) and returns the new standing.
func (j *Judge) Observe(now time.Time, v Verdict, err error) Standing {
	j.asked = true
	if err != nil {
		v = Verdict{Outcome: Pending, NoData: true, Reason: err.Error(), Evidence: v.Evidence}
	}
	var s Standing
	switch {
	case v.NoData && err == nil && j.rule.NoData == NoDataScant:
		v.Outcome, v.Reason = Pass, v.Reason+" (few requests come in this step: it is not waited for)"
		s = Standing{Verdict: v}
	case v.NoData:
		s = j.missing(now, v)
	case v.Outcome == Pending:
		j.lastData = now
		s = Standing{Verdict: v}
	default:
		j.lastData = now
		s = j.judged(v)
	}
	if s.Looked == "" {
		s.Looked = s.Outcome
	}
	s.At = now
	j.standing = s
	return s
}

func (j *Judge) judged(v Verdict) Standing {
	j.recent = append(j.recent, v.Outcome == Fail)
	if len(j.recent) > j.rule.In {
		j.recent = j.recent[1:]
	}
	looked, failed := v.Outcome, 0
	for _, f := range j.recent {
		if f {
			failed++
		}
	}
	if v.Outcome == Fail && failed < j.rule.Of {
		v.Outcome = Pending
		v.Reason = fmt.Sprintf("%s (%d of %d failures that undo the rollout)", v.Reason, failed, j.rule.Of)
	}
	return Standing{Verdict: v, Looked: looked}
}

func (j *Judge) missing(now time.Time, v Verdict) Standing {
	gone := now.Sub(j.lastData)
	switch j.rule.NoData {
	case NoDataPass:
		v.Outcome, v.Reason = Pass, v.Reason+" (noData: pass)"
	case NoDataFail:
		v.Outcome, v.Reason = Fail, v.Reason+" (noData: fail)"
		return j.judged(v)
	default: // NoDataWait
		v.Outcome = Pending
		switch {
		case gone >= 2*j.rule.NoDataFor:
			v.Outcome = Fail
			v.Reason = fmt.Sprintf("no data for %s, twice noDataFor: %s", gone.Round(time.Second), v.Reason)
		case gone >= j.rule.NoDataFor:
			v.Reason = fmt.Sprintf("no data for %s: %s; the rollout waits and will be undone after %s without data",
				gone.Round(time.Second), v.Reason, 2*j.rule.NoDataFor)
			return Standing{Verdict: v, Paused: true}
		}
	}
	return Standing{Verdict: v}
}
