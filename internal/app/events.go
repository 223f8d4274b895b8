package app

import (
	"context"
	"fmt"
	"time"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
)

// events writes what matters as Kubernetes Events on the workload, for who looks there. It is a listener: what it
// cannot write is lost, and nothing else.
type events struct {
	client   *kube.Client
	workload plan.Ref
	now      func() time.Time
	n        int
}

var _ engine.Listener = (*events)(nil)

func newEvents(client *kube.Client, workload plan.Ref, now func() time.Time) *events {
	return &events{client: client, workload: workload, now: now}
}

// Handle implements engine.Listener.
func (l *events) Handle(ctx context.Context, e engine.Event) {
	reason, warning := "", false
	switch e.Kind {
	case engine.EventStarted:
		reason = "RolloutStarted"
	case engine.EventResumed:
		reason = "RolloutResumed"
	case engine.EventInForce:
		reason = "RolloutStep"
	case engine.EventWaiting, engine.EventDetached:
		reason = "RolloutWaiting"
	case engine.EventApproved:
		reason = "RolloutApproved"
	case engine.EventPaused:
		reason, warning = "RolloutPaused", true
	case engine.EventUndoing:
		reason, warning = "RolloutUndoing", true
	case engine.EventSucceeded:
		reason = "RolloutSucceeded"
	case engine.EventRolledBack:
		reason, warning = "RolledBack", true
	case engine.EventUndoFailed:
		reason, warning = "UndoFailed", true
	default:
		return
	}
	bound, cancel := context.WithTimeout(ctx, kube.WriteTimeout)
	defer cancel()
	_, _ = l.client.Create(bound, l.event(e, reason, warning)) // a listener cannot fail the rollout
}

func (l *events) event(e engine.Event, reason string, warning bool) plan.Object {
	l.n++
	kind := "Normal"
	if warning {
		kind = "Warning"
	}
	at := l.now().UTC()
	message := e.Message
	if e.Kind == engine.EventWaiting {
		message = "waits for an approval: " + message
	}
	if e.Kind == engine.EventInForce {
		message = fmt.Sprintf("%s: %s", e.Step, e.Message)
	}
	const limit = 1000 // the API refuses messages over 1024 bytes
	if len(message) > limit {
		message = message[:limit] + "…"
	}
	return plan.Object{
		"apiVersion": "v1", "kind": "Event",
		"metadata": map[string]any{
			"name":      fmt.Sprintf("%s.tidegate-%s-%x-%d", l.workload.Name, e.Rollout.ID, at.UnixNano()&0xffffff, l.n),
			"namespace": l.workload.Namespace,
		},
		"involvedObject": map[string]any{
			"apiVersion": l.workload.APIVersion, "kind": l.workload.Kind, "name": l.workload.Name, "namespace": l.workload.Namespace,
		},
		"type": kind, "reason": reason, "message": message, "count": int64(1),
		"source":         map[string]any{"component": kube.Manager},
		"firstTimestamp": at.Format(time.RFC3339), "lastTimestamp": at.Format(time.RFC3339),
		"reportingComponent": kube.Manager, "reportingInstance": e.Rollout.ID, "action": reason,
	}
}
