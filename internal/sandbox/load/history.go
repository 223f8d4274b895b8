package load

import (
	"slices"
	"time"
)

// History is what became of one user's requests, in the order in which they were sent.
//
// A browser sends several at once, so not every two of them have an order that the user could know: of two that overlap,
// neither is the earlier one. Every judgement here goes by what is certain: one request is before another when it had
// ended when the other was sent.
type History []Answer

// End is when the whole answer was there.
func (a Answer) End() time.Time { return a.At.Add(a.Took) }

// before tells that a had ended when b was sent.
func (a Answer) before(b Answer) bool { return b.At.After(a.End()) }

// named tells that a version answered.
func (a Answer) named() bool { return !a.Lost() && a.Version != "" }

// Changes is how often the user certainly saw the version change: the most changes along any of the user's requests each
// of which was sent after the one before it had ended.
func (h History) Changes() int {
	most, best := 0, make([]int, len(h)) // the most changes along requests of which this is the last
	for i, a := range h {
		if !a.named() {
			continue
		}
		for j, earlier := range h[:i] {
			if !earlier.named() || !earlier.before(a) {
				continue
			}
			changes := best[j]
			if earlier.Version != a.Version {
				changes++
			}
			best[i] = max(best[i], changes)
		}
		most = max(most, best[i])
	}
	return most
}

// Back are the answers by which the user certainly went back from one version to another: of the version to, to requests
// that were sent after an answer of the version from had ended.
func (h History) Back(from, to string) []Answer {
	var first time.Time // at which an answer of from had ended
	for _, a := range h {
		if a.named() && a.Version == from && (first.IsZero() || a.End().Before(first)) {
			first = a.End()
		}
	}
	var back []Answer
	for _, a := range h {
		if !first.IsZero() && a.named() && a.Version == to && a.At.After(first) {
			back = append(back, a)
		}
	}
	return back
}

// After is the part of the history that was sent at a time or later.
func (h History) After(t time.Time) History {
	i := slices.IndexFunc(h, func(a Answer) bool { return !a.At.Before(t) })
	if i < 0 {
		return nil
	}
	return h[i:]
}

// returned is the version that answered the user last between two times, among requests that were not the user's first:
// an earlier one, sent at since or later, had got its whole answer. "" when there is none.
func (h History) returned(since, from, to time.Time) string {
	seen, version := time.Time{}, "" // seen is when the user first had an answer
	for _, a := range h.After(since) {
		if a.named() && (seen.IsZero() || a.End().Before(seen)) {
			seen = a.End()
		}
	}
	for _, a := range h.After(from) {
		if a.named() && a.At.Before(to) && !seen.IsZero() && a.At.After(seen) {
			version = a.Version
		}
	}
	return version
}

// Histories are those of many users, in the order in which they first came.
type Histories []History

// After are the parts of the histories that were sent at a time or later.
func (all Histories) After(t time.Time) Histories {
	later := make(Histories, len(all))
	for i, h := range all {
		later[i] = h.After(t)
	}
	return later
}

// Share counts the users who came between two times and were there before, since since, and those of them whom the
// version answered. Each user counts once, with the last answer in that time.
func (all Histories) Share(version string, since, from, to time.Time) (on, of int) {
	for _, h := range all {
		switch h.returned(since, from, to) {
		case "":
		case version:
			on, of = on+1, of+1
		default:
			of++
		}
	}
	return on, of
}

// Lost are the requests that no version answered, in the order in which they were sent.
func (all Histories) Lost() []Answer {
	return slices.DeleteFunc(all.Answers(), func(a Answer) bool { return !a.Lost() })
}

// Answers are those of all users, in the order in which the requests were sent.
func (all Histories) Answers() []Answer {
	answers := slices.Concat(all...)
	inOrder(answers)
	return answers
}
