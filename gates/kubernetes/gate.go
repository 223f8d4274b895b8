package kubernetes

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/tidegate/tidegate/gates"
)

// Name is what the gate is called everywhere.
const Name = "kubernetes"

// DefaultUnreadyFor is longer than one failed readiness probe at its default period.
const DefaultUnreadyFor = 10 * time.Second

// Source lists the pods of one side now, base or candidate, with those that have ended or are being deleted.
type Source interface {
	Pods(ctx context.Context, track string) ([]Pod, error)
}

// Pod is what the gate wants to know of a pod. The fields from Container to LastWords are of its container that is in
// the worst state.
type Pod struct {
	Name        string
	Phase       string // Pending, Running, Succeeded, Failed or Unknown
	Ready       bool
	Terminating bool

	Container      string
	Restarts       int    // of all containers together
	Waiting        string // reason, such as CrashLoopBackOff
	WaitingMessage string
	Terminated     string // reason of the last termination, such as OOMKilled or Error
	ExitCode       int    // of the last termination
	LastWords      string // its termination message or the end of its log

	Evicted       bool
	Unschedulable string // the scheduler's message

	Created    time.Time
	ReadySince time.Time // when it last became ready; zero if it never was
}

// Gate watches one rollout. It is safe for concurrent use.
type Gate struct {
	// UnreadyFor is how long a pod that was ready may be unready. It must not be changed after the first look.
	UnreadyFor time.Duration

	source Source
	mu     sync.Mutex
	first  time.Time // of the first look
	looked bool
	served bool // a pod was ready in some look, or before it
	pods   map[string]*memory
}

// memory is what the gate remembers of a pod.
type memory struct {
	created      time.Time
	restarts     int // when the watch began
	ready        bool
	unreadySince time.Time // zero while it is ready
}

var _ gates.Gate = (*Gate)(nil)

// New makes the gate of one rollout.
func New(source Source) *Gate {
	return &Gate{UnreadyFor: DefaultUnreadyFor, source: source, pods: map[string]*memory{}}
}

// Name is [Name].
func (g *Gate) Name() string { return Name }

// Check looks at the pods of the side that carries the new version.
func (g *Gate) Check(ctx context.Context, in gates.Input) (gates.Verdict, error) {
	pods, err := g.source.Pods(ctx, in.Candidate.Track)
	if err != nil {
		return gates.Verdict{}, fmt.Errorf("list the %s pods: %w", track(in), err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	s := survey{namespace: in.Namespace, track: track(in)}
	for _, p := range pods {
		m := g.remember(p, in.Now)
		g.served = g.served || m.ready
		s.add(p, m, in.Now, g.UnreadyFor)
	}
	s.starting = !g.served
	if !g.looked {
		g.looked, g.first = true, in.Now
	}
	return s.verdict(), nil
}

func track(in gates.Input) string {
	return cmp.Or(in.Candidate.Called, in.Candidate.Track, "candidate")
}

// remember finds or begins the memory of a pod and brings it up to date.
func (g *Gate) remember(p Pod, now time.Time) memory {
	m, known := g.pods[p.Name]
	if !known || !m.created.Equal(p.Created) { // a StatefulSet gives a pod's name again
		m = &memory{created: p.Created}
		if before := !p.Created.IsZero() && p.Created.Before(g.first); !g.looked || before {
			m.restarts = p.Restarts
		}
		g.pods[p.Name] = m
	}
	m.ready = m.ready || p.Ready || !p.ReadySince.IsZero()
	switch {
	case p.Ready:
		m.unreadySince = time.Time{}
	case m.unreadySince.IsZero():
		m.unreadySince = now
	}
	return *m
}

// survey is one look over all pods.
type survey struct {
	namespace, track string
	live, ready      int
	restarts, grew   int
	problems         []string // each undoes the rollout
	unready          []string
	starting         bool // no pod was ever ready: whoever started them waits for that, and knows when to give up
}

func (s *survey) add(p Pod, m memory, now time.Time, unreadyFor time.Duration) {
	if text := s.problem(p, m, now, unreadyFor); text != "" {
		s.problems = append(s.problems, text)
	}
	if ended(p) {
		return
	}
	s.live++
	s.restarts += p.Restarts
	s.grew += max(p.Restarts-m.restarts, 0)
	if p.Ready {
		s.ready++
		return
	}
	s.unready = append(s.unready, p.Name+" "+state(p))
}

// ended tells whether the pod no longer counts: it was replaced, or will be.
func ended(p Pod) bool {
	return p.Terminating || p.Phase == "Failed" || p.Phase == "Succeeded"
}

func (s *survey) verdict() gates.Verdict {
	ready := fmt.Sprintf("%d of %d %s pods are ready", s.ready, s.live, s.track)
	v := gates.Verdict{Evidence: gates.Evidence{Value: gates.Number(float64(s.ready)), Text: ready}}
	switch {
	case len(s.problems) > 0:
		v.Outcome, v.Reason = gates.Fail, s.problems[0]
		if more := len(s.problems) - 1; more > 0 {
			v.Reason += fmt.Sprintf(" (and %s in trouble)", count(more, "more pod"))
		}
		v.Evidence.Text = ready + "; " + strings.Join(s.problems, "; ")
	case s.live == 0:
		v.Outcome, v.NoData, v.Reason = gates.Pending, true, fmt.Sprintf("there are no %s pods", s.track)
	case s.ready == 0 && s.starting:
		v.Outcome = gates.Pending
		v.Reason = fmt.Sprintf("none of %d %s pods is ready yet: %s", s.live, s.track, strings.Join(s.unready, ", "))
	case s.ready == 0:
		v.Outcome = gates.Fail
		v.Reason = fmt.Sprintf("none of %d %s pods is ready: %s", s.live, s.track, strings.Join(s.unready, ", "))
	case s.ready < s.live:
		v.Outcome = gates.Pending
		v.Reason = fmt.Sprintf("%s; not ready: %s", ready, strings.Join(s.unready, ", "))
	default:
		v.Outcome, v.Reason = gates.Pass, ready+", "+restarts(s.restarts, s.grew)
	}
	return v
}

func restarts(all, grew int) string {
	switch {
	case all == 0:
		return "no restarts"
	case grew == 0:
		return fmt.Sprintf("%s before the watch began, none since", count(all, "restart"))
	}
	return fmt.Sprintf("%s without an error", count(grew, "restart"))
}

func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
