package engine

import (
	"context"
	"time"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/routine"
)

// sightPause is the time between two looks for data about the candidate.
const sightPause = 500 * time.Millisecond

// sight begins to wait until every gate that can tell has data about the candidate, at most as long as the step says. It
// judges nothing: without data the gates decide as their noData says, once users are there.
func (s *stepRun) sight(work context.Context) chan struct{} {
	done := make(chan struct{})
	if s.step.Sight <= 0 {
		close(done)
		return done
	}
	routine.Go(func() {
		defer close(done)
		ctx, cancel := clock.WithTimeout(work, s.Clock, time.Duration(s.step.Sight), context.DeadlineExceeded)
		defer cancel()
		for _, w := range s.Gates {
			if gate, ok := w.Gate.(gates.Sighted); ok {
				s.untilSeen(ctx, gate)
			}
		}
	})
	return done
}

func (s *stepRun) untilSeen(ctx context.Context, gate gates.Sighted) {
	for ctx.Err() == nil {
		if seen, err := gate.Sees(ctx, s.Look(s.step)); seen && err == nil {
			return
		}
		_ = clock.Sleep(ctx, s.Clock, sightPause) // the loop looks at ctx
	}
}

// waited is the channel of a sight that has not ended yet, otherwise nil.
func (s *stepRun) waited() <-chan struct{} {
	if closed(s.seen) {
		return nil
	}
	return s.seen
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
