package engine

import (
	"context"
	"time"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/clock"
)

// sightPause is the time between two looks for data about the candidate.
const sightPause = 500 * time.Millisecond

// sight waits until every gate that can tell has data about the candidate, at most as long as the step says. It judges
// nothing: without data the gates decide as their noData says, once users are there.
func (s *stepRun) sight(ctx context.Context) {
	if s.step.Sight <= 0 {
		return
	}
	ctx, cancel := clock.WithTimeout(ctx, s.Clock, time.Duration(s.step.Sight), context.DeadlineExceeded)
	defer cancel()
	for _, w := range s.Gates {
		gate, ok := w.Gate.(gates.Sighted)
		if !ok {
			continue
		}
		for {
			if seen, err := gate.Sees(ctx, s.Look(s.step)); seen && err == nil {
				break
			}
			if clock.Sleep(ctx, s.Clock, sightPause) != nil {
				return
			}
		}
	}
}
