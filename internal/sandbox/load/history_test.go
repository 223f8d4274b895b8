package load

import (
	"slices"
	"testing"
	"time"
)

// at is an answer by a version to a request that was under way between two seconds.
func at(from, to int64, version string) Answer {
	a := Answer{At: time.Unix(from, 0), Took: time.Duration(to-from) * time.Second, Version: version, Status: 200}
	if version == "" {
		a.Status = 503
	}
	return a
}

func TestHistory(t *testing.T) {
	tests := []struct {
		name    string
		h       History
		changes int
		back    int // from v2 to v1
	}{
		{name: "nobody"},
		{name: "one version", h: History{at(0, 1, "v1"), at(2, 3, "v1")}},
		{name: "moved", h: History{at(0, 1, "v1"), at(2, 3, "v1"), at(4, 5, "v2"), at(6, 7, "v2")}, changes: 1},
		{name: "moved and back", h: History{at(0, 1, "v1"), at(2, 3, "v2"), at(4, 5, "v1")}, changes: 2, back: 1},
		{name: "back only", h: History{at(0, 1, "v2"), at(2, 3, "v1")}, changes: 1, back: 1},
		{name: "to and fro", h: History{at(0, 1, "v1"), at(2, 3, "v2"), at(4, 5, "v1"), at(6, 7, "v2")}, changes: 3, back: 1},
		{name: "two at once have no order", h: History{at(0, 3, "v1"), at(1, 4, "v2"), at(2, 5, "v1")}},
		{name: "sent while the other was under way", h: History{at(0, 1, "v1"), at(2, 5, "v2"), at(4, 6, "v1"), at(7, 8, "v2")}, changes: 1},
		{name: "a slow one hides nothing", h: History{at(0, 9, "v1"), at(1, 2, "v1"), at(3, 4, "v2"), at(5, 6, "v1")}, changes: 2, back: 1},
		{name: "sent when the other ended", h: History{at(0, 1, "v2"), at(1, 2, "v1")}},
		{name: "the earliest end counts", h: History{at(0, 9, "v2"), at(1, 2, "v2"), at(3, 4, "v1")}, changes: 1, back: 1},
		{name: "lost ones say nothing", h: History{at(0, 1, "v1"), at(2, 3, ""), at(4, 5, "v1")}},
		{name: "third version", h: History{at(0, 1, "v1"), at(2, 3, "v3"), at(4, 5, "v2")}, changes: 2},
		{name: "broken off", h: History{at(0, 1, "v1"), {At: time.Unix(2, 0), Version: "v2", Err: "EOF"}, at(4, 5, "v1")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.h.Changes(); got != tt.changes {
				t.Errorf("%d changes, want %d", got, tt.changes)
			}
			if got := tt.h.Back("v2", "v1"); len(got) != tt.back {
				t.Errorf("back by %v, want %d", got, tt.back)
			}
		})
	}
}

func TestShare(t *testing.T) {
	all := Histories{
		{at(0, 1, "v1"), at(20, 21, "v2"), at(25, 26, "v2")}, // counts once
		{at(0, 1, "v1"), at(20, 21, "v1")},
		{at(20, 21, "v1"), at(20, 21, "v2")},                   // a first visit is nobody's return
		{at(20, 21, "v1"), at(23, 24, "v2")},                   // a return in the same time is
		{at(20, 24, "v1"), at(23, 25, "v2")},                   // but not while the first is under way
		{at(0, 1, "v1"), at(30, 31, "v2")},                     // too late
		{at(0, 1, "v1"), at(20, 21, "v2"), at(26, 27, "v1")},   // the last counts
		{at(0, 1, "v1"), at(20, 21, "v2"), at(26, 27, "")},     // of those with an answer
		{at(0, 1, ""), at(20, 21, "v2")},                       // was never answered before
		{at(-9, -8, "v1"), at(20, 21, "v1")},                   // was here before the time from which users count
		{at(-9, -8, "v1"), at(20, 21, "v1"), at(28, 29, "v2")}, // and came back
		{},
	}
	on, of := all.Share("v2", time.Unix(0, 0), time.Unix(20, 0), time.Unix(30, 0))
	if on != 4 || of != 6 {
		t.Errorf("%d of %d users, want 4 of 6", on, of)
	}
	if lost := all.Lost(); len(lost) != 2 || lost[0].At != time.Unix(0, 0) || lost[1].At != time.Unix(26, 0) {
		t.Errorf("lost %v", lost)
	}
	later := all.After(time.Unix(26, 0))
	if len(later) != len(all) || len(later.Answers()) != 4 {
		t.Errorf("after 26 s there are %v", later)
	}
	if answers := all.Answers(); !slices.IsSortedFunc(answers, func(a, b Answer) int { return a.At.Compare(b.At) }) || len(answers) != 26 {
		t.Errorf("%d answers: %v", len(answers), answers)
	}
}
