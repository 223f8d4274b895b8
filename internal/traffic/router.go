package traffic

import (
	"context"

	"github.com/tidegate/tidegate/internal/plan"
)

// Watcher is a router that notices when somebody else changes what it has set.
type Watcher interface {
	// Drift says, by watches and without a call, where the routes do not divide the requests as s says: the object, what it
	// should be, what it is, and who changed it.
	Drift(t plan.Traffic, s plan.Split) []string
}

// Router reads and sets the split of routes. Every method is idempotent, retries what passes and honours ctx at once.
type Router interface {
	// Set sends s of the requests of the routes' rules to t.Candidate and the rest to t.Base. s is not nothing: that is
	// Restore.
	Set(ctx context.Context, t plan.Traffic, s plan.Split) error
	// Restore takes t.Candidate and every mark of ours out of the routes. originals are the routes before the
	// rollout, as far as they are known.
	Restore(ctx context.Context, t plan.Traffic, originals []plan.Object) error
	// InForce returns when every gateway has accepted the routes as they are now, or with an error that says which
	// one has not and what it says. Acceptance is not yet the data plane: a guard has to follow.
	InForce(ctx context.Context, t plan.Traffic) error
}
