package actuate

import (
	"context"
	"errors"
	"time"

	"github.com/tidegate/tidegate/internal/kube"
)

var errUnseen = errors.New("the watches have not told yet what there is")

// Seen waits until the watches have told which pods there are, at most for a while: a run that carries a rollout on asks
// gates about pods that it did not start. What keeps the watches from telling is met by the first op, too.
func (a *Actuator) Seen(ctx context.Context, limit time.Duration) {
	bounded, cancel := a.client.Bounded(ctx, limit, errUnseen)
	defer cancel()
	_ = a.scene.Wait(bounded, 0, func() (bool, error) {
		for _, v := range []*kube.View{a.base, a.basePods, a.candidate, a.candidatePods} {
			if v != nil && !v.Synced() {
				return false, nil
			}
		}
		return true, nil
	})
}
