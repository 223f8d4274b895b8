package timeline

import (
	"time"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/plan"
)

// Data is what a chart shows. All lists are in order of time. It can be kept as JSON.
type Data struct {
	Start  time.Time `json:"start"`
	End    time.Time `json:"end"` // of the last event
	Shares []Share   `json:"shares,omitempty"`
	Sticky bool      `json:"sticky,omitempty"` // the shares are of users, each of whom stays with one version
	Gates  []Series  `json:"gates,omitempty"`  // in the order of the spec
	Marks  []Mark    `json:"marks,omitempty"`
}

// Share is the share of requests, or of users, that meets the new version from a moment on.
type Share struct {
	At    time.Time  `json:"at"`
	Share plan.Share `json:"share"`
}

// Series is what one gate saw.
type Series struct {
	Gate  string `json:"gate"`
	Looks []Look `json:"looks"`
}

// Look is one look of a gate. Outcome is what the look said by itself: it may have failed while the gate's standing was
// pending still.
type Look struct {
	At      time.Time     `json:"at"`
	Value   *float64      `json:"value,omitempty"`
	Outcome gates.Outcome `json:"outcome"`
	NoData  bool          `json:"noData,omitempty"`
}

// Kind says what a mark marks.
type Kind string

// The kinds of marks.
const (
	InForce  Kind = "in-force" // a step: Text is its ID
	Undoing  Kind = "undoing"  // the way back began: Text is why
	Restored Kind = "restored" // no request meets the new version any more
	Ended    Kind = "ended"    // Text is how
)

// Mark is a moment that counts.
type Mark struct {
	At   time.Time `json:"at"`
	Kind Kind      `json:"kind"`
	Text string    `json:"text,omitempty"`
}

// Of is what the shares are shares of.
func (d Data) Of() string {
	if d.Sticky {
		return "users"
	}
	return "requests"
}

// Title is that of a chart of the shares.
func (d Data) Title() string {
	if d.Sticky {
		return "Users who meet the new version"
	}
	return "Requests that meet the new version"
}

// RestoredAt is when the way back had brought every request to the base; zero when it had not.
func (d Data) RestoredAt() time.Time {
	for _, m := range d.Marks {
		if m.Kind == Restored {
			return m.At
		}
	}
	return time.Time{}
}

// Times are n moments, evenly from the start to the end; none when no time passed.
func (d Data) Times(n int) []time.Time {
	length := d.End.Sub(d.Start)
	if n < 2 || length <= 0 {
		return nil
	}
	times := make([]time.Time, n)
	for i := range times {
		times[i] = d.Start.Add(time.Duration(float64(length) * float64(i) / float64(n-1)))
	}
	return times
}

// ShareAt is the share at a moment.
func (d Data) ShareAt(t time.Time) plan.Share {
	var share plan.Share
	for _, s := range d.Shares {
		if s.At.After(t) {
			break
		}
		share = s.Share
	}
	return share
}

// At is what the gate measured at each of these moments: the worst look since the moment before, else the last one. It is
// nil before the first look and after the last, and for a look that had no value.
func (s Series) At(times []time.Time) []*float64 {
	values := make([]*float64, len(times))
	next := 0
	var last Look
	for i, t := range times {
		begin := next
		for ; next < len(s.Looks) && !s.Looks[next].At.After(t); next++ {
			if next == begin {
				last = s.Looks[next]
			}
			last = worse(last, s.Looks[next])
		}
		if asked := next > begin || next > 0 && next < len(s.Looks); asked {
			values[i] = last.Value
		}
	}
	return values
}

// Range is the smallest and the largest value; false when there is none.
func (s Series) Range() (low, high float64, ok bool) {
	for _, l := range s.Looks {
		switch {
		case l.Value == nil:
			continue
		case !ok:
			low, high, ok = *l.Value, *l.Value, true
		}
		low, high = min(low, *l.Value), max(high, *l.Value)
	}
	return low, high, ok
}

// rank orders looks from good to bad.
func (l Look) rank() int {
	switch {
	case l.Outcome == gates.Fail:
		return 2
	case l.NoData || l.Outcome != gates.Pass:
		return 1
	}
	return 0
}

// worse is the worse one of two looks: of two failures the later, for the last one decided; of other equals the earlier.
func worse(a, b Look) Look {
	if b.rank() > a.rank() || b.Outcome == gates.Fail {
		return b
	}
	return a
}
