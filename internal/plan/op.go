package plan

import (
	"encoding/json"
	"fmt"
	"time"
)

// Kind says what an op states about the cluster.
type Kind string

// The kinds of ops. Each is absolute: it describes how the cluster is when the op is done, whatever it was before.
const (
	// EnsureCandidate: the candidate's Deployment, Service and copied policies exist, sized for Weight, and are ready.
	EnsureCandidate Kind = "candidate"
	// ScaleCandidate: the candidate has the pods that Weight needs; all are ready unless NoWait.
	ScaleCandidate Kind = "scale"
	// OpenPreview: the preview's objects exist, and who asks there meets the candidate.
	OpenPreview Kind = "open-preview"
	// ClosePreview: nothing of the preview is left.
	ClosePreview Kind = "close-preview"
	// SetSplit: Weight of the requests goes to the candidate, and those that Ring describes, and the rest to the base,
	// accepted by every gateway. Without both nothing of ours is left in the route.
	SetSplit Kind = "split"
	// Wait: For has passed since the op before it: the data plane has followed, and connections had time to end.
	Wait Kind = "wait"
	// HoldScaler: the base's autoscaler keeps at least the present size, or, with Pods, exactly that many.
	HoldScaler Kind = "hold-scaler"
	// ReleaseScaler: the base's autoscaler is as the user wrote it.
	ReleaseScaler Kind = "release-scaler"
	// RollBase: the base runs Version at full size and is ready. It is off traffic meanwhile, unless Serving.
	RollBase Kind = "roll-base"
	// MarkBase: what the base was is written down on it, so that it is known whatever becomes of the record.
	MarkBase Kind = "mark-base"
	// ScaleBase: exactly Pods pods of the base run Version, all of them ready, and no others. Pods are only taken away when
	// the candidate's ready ones make up for them.
	ScaleBase Kind = "scale-base"
	// Roll: every pod of the workload runs Version and is ready, and no pod of the other version is left. The cluster
	// replaces them by Pace, under traffic.
	Roll Kind = "roll"
	// RollPods: exactly Pods pods of the workload run the new version, all of them ready, and the others the old one. The
	// step before left From of them.
	RollPods Kind = "roll-pods"
	// ReleaseBase: the base has its own settings and no mark of ours is left on it.
	ReleaseBase Kind = "release-base"
	// RemoveCandidate: nothing that the rollout made is left.
	RemoveCandidate Kind = "remove-candidate"
)

// Op is one absolute, idempotent statement about the cluster.
type Op struct {
	Kind   Kind  `json:"kind"`
	Weight Share `json:"weight,omitempty"`
	// Ring are attributes of requests that go to the candidate whatever Weight says (SetSplit); a request has all of them.
	Ring []Match `json:"ring,omitempty"`
	// Cohorts are the groups of users by which Weight is divided, instead of by requests (SetSplit).
	Cohorts *Cohorts `json:"cohorts,omitempty"`
	// Mirror of the requests are copied to the candidate (SetSplit), which is sized for them (EnsureCandidate).
	Mirror Share `json:"mirror,omitempty"`
	// Shadow: the candidate is one that gets copies only (EnsureCandidate, and a SetSplit that ends the copies): the base
	// has every request all along.
	Shadow bool `json:"shadow,omitempty"`
	// Pods is a number of pods: of the candidate, where it overrides the one from Weight; of the new version (RollPods); of
	// the workload (HoldScaler, ScaleBase).
	Pods    int      `json:"pods,omitempty"`
	From    int      `json:"from,omitempty"` // RollPods; ScaleBase: the pods that the step before left
	MinPods int      `json:"minPods,omitempty"`
	For     Duration `json:"for,omitempty"` // Wait
	NoWait  bool     `json:"noWait,omitempty"`
	// Strict: SetSplit back to the base only when the base is ready at its full size, however long that takes; ScaleBase only
	// of a base that has the size which the step before left, for another one is somebody's change.
	Strict bool `json:"strict,omitempty"`
	// Selector: it is the selector of the Service that sends requests to one side or the other, not a route (SetSplit,
	// RollBase). It changes nothing of what the op does, only how it is told.
	Selector bool `json:"selector,omitempty"`
	// Version is whose pod template RollBase and Roll bring: the candidate's (new) or the base's (as it was).
	// Serving: RollBase while the base has requests; Wait for who sends to the Service's pods without a gateway.
	Serving bool `json:"serving,omitempty"`
	// Version is whose pod template RollBase, ScaleBase and Roll bring: the candidate's (new) or the base's (as it was).
	Version Side `json:"version,omitempty"`
	Pace    Pace `json:"pace,omitzero"` // Roll, RollPods
}

// Pace is how pods are replaced: what is left out is as the user has it.
type Pace struct {
	Recreate bool `json:"recreate,omitempty"` // all old pods go before the first new one comes
	// MaxSurge and MaxUnavailable are set together; as Kubernetes has them, a number or a percentage.
	MaxSurge       string   `json:"maxSurge,omitempty"`
	MaxUnavailable string   `json:"maxUnavailable,omitempty"`
	MinReady       Duration `json:"minReady,omitempty"`
}

// String is the op in a person's words.
func (o Op) String() string {
	switch o.Kind {
	case EnsureCandidate:
		if o.Shadow {
			return fmt.Sprintf("create the shadow, sized for %s of the traffic, and wait until it is ready", o.Mirror)
		}
		if o.Weight == 0 {
			return fmt.Sprintf("create the candidate with %s and wait until it is ready", pods(o.PodsFor(0)))
		}
		return fmt.Sprintf("create the candidate, sized for %s of the traffic, and wait until it is ready", o.Weight)
	case ScaleCandidate:
		if o.Weight == 0 {
			return "size the candidate to " + pods(o.PodsFor(0))
		}
		return fmt.Sprintf("size the candidate for %s of the traffic", o.Weight)
	case OpenPreview:
		return "open the preview of the new version"
	case ClosePreview:
		return "close the preview of the new version"
	case SetSplit:
		if o.Selector {
			return o.switches()
		}
		if o.Shadow && o.Split().Nothing() {
			return "copy no request any more, the route as the user wrote it"
		}
		return o.Split().String()
	case Wait:
		if o.Serving {
			return fmt.Sprintf("wait %s, until whoever sends to the Service knows its new pods", time.Duration(o.For))
		}
		return fmt.Sprintf("wait %s, for the gateway to follow and connections to end", time.Duration(o.For))
	case HoldScaler:
		if o.Pods > 0 {
			return fmt.Sprintf("hold the autoscaler at exactly %d pods", o.Pods)
		}
		return "hold the base's autoscaler at no less than the present size"
	case ReleaseScaler:
		return "give the base's autoscaler its own bounds back"
	case Roll:
		return o.roll()
	case RollPods:
		return fmt.Sprintf("let exactly %d pods run the new version", o.Pods)
	case RollBase:
		return o.rollBase()
	case MarkBase:
		return "write down on the base what it was"
	case ScaleBase:
		return o.scaleBase()
	case ReleaseBase:
		return "take our marks off the base"
	case RemoveCandidate:
		return "remove the candidate and all that was made for it"
	default:
		return string(o.Kind)
	}
}

func pods(n int) string {
	if n == 1 {
		return "1 pod"
	}
	return fmt.Sprintf("%d pods", n)
}

func (o Op) switches() string {
	if o.Weight == 0 {
		return "point the Service at the base, its selector as the user wrote it"
	}
	return "point the selector of the Service at the candidate"
}

func (o Op) rollBase() string {
	text := "roll the base back to the old version"
	if o.Version == Candidate {
		text = "roll the base to the new version"
	}
	switch {
	case o.Serving:
		return text + " while it serves its share of the requests"
	case o.Selector:
		return text + " while it has no traffic"
	}
	return text + " while it has no traffic from the route"
}

func (o Op) scaleBase() string {
	switch {
	case o.Pods == 0:
		return "take all pods of the base away"
	case o.Version == Candidate:
		return fmt.Sprintf("start %s of the new version in the base", pods(o.Pods))
	}
	return fmt.Sprintf("let the base run %s of the old version", pods(o.Pods))
}

func (o Op) roll() string {
	switch {
	case o.Pace.Recreate && o.Version == Candidate:
		return "stop every pod, then start the new version"
	case o.Pace.Recreate:
		return "stop every pod, and start those of the old version"
	case o.Version == Candidate:
		return "roll every pod to the new version"
	}
	return "roll every pod back to the old version"
}

// Split is how a SetSplit divides the requests.
func (o Op) Split() Split {
	return Split{Weight: o.Weight, Ring: o.Ring, Cohorts: o.Cohorts, Mirror: o.Mirror}
}

// PodsFor is how many candidate pods the op needs beside a base of size pods.
func (o Op) PodsFor(size int) int {
	if o.Pods > 0 {
		return o.Pods
	}
	return max(o.Weight.Of(size), o.Mirror.Of(size), o.MinPods, 1)
}

// Raw is JSON that is kept as it is.
type Raw = json.RawMessage
