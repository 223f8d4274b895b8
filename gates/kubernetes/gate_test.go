package kubernetes_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/gates/kubernetes"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// source answers each look with the next list; the last one stays.
type source struct {
	looks  [][]kubernetes.Pod
	tracks []string
	err    error
}

func (s *source) Pods(_ context.Context, track string) ([]kubernetes.Pod, error) {
	s.tracks = append(s.tracks, track)
	if s.err != nil {
		return nil, s.err
	}
	return s.looks[min(len(s.tracks), len(s.looks))-1], nil
}

type pods = []kubernetes.Pod

// good is a pod that runs; changes make something else of it.
func good(name string, changes ...func(*kubernetes.Pod)) kubernetes.Pod {
	p := kubernetes.Pod{Name: name, Phase: "Running", Ready: true, Container: "app", Created: start.Add(-time.Minute), ReadySince: start}
	for _, change := range changes {
		change(&p)
	}
	return p
}

func unready(p *kubernetes.Pod) { p.Ready = false }
func fresh(p *kubernetes.Pod)   { p.Ready, p.ReadySince = false, time.Time{} }
func leaving(p *kubernetes.Pod) { p.Terminating, p.Ready = true, false }
func waits(reason, message string) func(*kubernetes.Pod) {
	return func(p *kubernetes.Pod) {
		p.Ready, p.ReadySince, p.Waiting, p.WaitingMessage = false, time.Time{}, reason, message
	}
}
func died(restarts int, reason string, code int, words string) func(*kubernetes.Pod) {
	return func(p *kubernetes.Pod) {
		p.Restarts, p.Terminated, p.ExitCode, p.LastWords = restarts, reason, code, words
	}
}
func created(at time.Time) func(*kubernetes.Pod) {
	return func(p *kubernetes.Pod) { p.Created = at }
}

func input(look int) gates.Input {
	return gates.Input{Namespace: "shop", Name: "checkout", Now: start.Add(time.Duration(look) * 5 * time.Second), Candidate: gates.Subject{Track: "candidate"}}
}

func TestOneLook(t *testing.T) {
	for _, tt := range []struct {
		name    string
		pods    pods
		outcome gates.Outcome
		reason  string
	}{
		{"all well", pods{good("a"), good("b"), good("c")}, gates.Pass, "3 of 3 candidate pods are ready, no restarts"},
		{"a pod that leaves does not count", pods{good("a"), good("b", leaving)}, gates.Pass, "1 of 1 candidate pods are ready, no restarts"},
		{"a pod that has ended does not count", pods{good("a"), good("b", fresh, func(p *kubernetes.Pod) { p.Phase = "Failed" })}, gates.Pass,
			"1 of 1 candidate pods are ready, no restarts"},
		{"restarts before the watch", pods{good("a", died(1, "Error", 1, ""))}, gates.Pass,
			"1 of 1 candidate pods are ready, 1 restart before the watch began, none since"},
		{"some are not ready", pods{good("a"), good("b", fresh), good("c", waits("ContainerCreating", ""))}, gates.Pending,
			"1 of 3 candidate pods are ready; not ready: b (Running), c (ContainerCreating)"},
		{"no room", pods{good("a"), good("b", fresh, func(p *kubernetes.Pod) {
			p.Phase, p.Unschedulable = "Pending", "0/3 nodes are available:\nInsufficient cpu"
		})},
			gates.Pending, "1 of 2 candidate pods are ready; not ready: b (cannot be scheduled: 0/3 nodes are available: Insufficient cpu)"},
		{"none is ready yet", pods{good("a", fresh), good("b", fresh)}, gates.Pending,
			"none of 2 candidate pods is ready yet: a (Running), b (Running)"},
		{"none is ready any more", pods{good("a", unready), good("b", fresh, died(2, "Completed", 0, ""))}, gates.Fail,
			"none of 2 candidate pods is ready: a (Running), b (Completed, exit code 0, restarted 2 times)"},
		{"crash loop", pods{good("a"), good("b", waits("CrashLoopBackOff", "back-off 10s"), died(3, "Error", 2, "loading config\npanic: no DATABASE_URL"))}, gates.Fail,
			`pod b: container app crashes again and again (exit code 2), its last words: "loading config panic: no DATABASE_URL"; read its log: kubectl logs -n shop b -c app --previous`},
		{"crash loop with a reason", pods{good("b", waits("CrashLoopBackOff", ""), died(3, "ContainerCannotRun", 127, ""))}, gates.Fail,
			"pod b: container app crashes again and again (ContainerCannotRun, exit code 127); read its log: kubectl logs -n shop b -c app --previous"},
		{"image", pods{good("a"), good("b", waits("ImagePullBackOff", "manifest unknown"))}, gates.Fail,
			"pod b: container app cannot get its image (ImagePullBackOff): manifest unknown; check the image's name and the pull secret: kubectl describe pod -n shop b"},
		{"configuration", pods{good("a"), good("b", waits("CreateContainerConfigError", `secret "db" not found`))}, gates.Fail,
			`pod b: container app cannot be started (CreateContainerConfigError): secret "db" not found; check its command, ConfigMaps and Secrets: kubectl describe pod -n shop b`},
		{"out of memory, even if it runs again", pods{good("a"), good("b", died(1, "OOMKilled", 137, ""))}, gates.Fail,
			"pod b: container app ran out of memory and was killed (OOMKilled, exit code 137); raise its memory limit or find what takes the memory: kubectl describe pod -n shop b"},
		{"evicted", pods{good("a"), good("b", fresh, func(p *kubernetes.Pod) { p.Phase, p.Evicted, p.WaitingMessage = "Failed", true, "low on memory" })}, gates.Fail,
			"pod b was evicted: low on memory; see why: kubectl describe pod -n shop b"},
		{"two in trouble", pods{good("a", waits("ErrImagePull", "")), good("b", waits("ErrImagePull", ""))}, gates.Fail,
			"pod a: container app cannot get its image (ErrImagePull); check the image's name and the pull secret: kubectl describe pod -n shop a (and 1 more pod in trouble)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &source{looks: []pods{tt.pods}}
			v, err := kubernetes.New(s).Check(t.Context(), input(0))
			if err != nil {
				t.Fatal(err)
			}
			if v.Outcome != tt.outcome || v.Reason != tt.reason || v.NoData {
				t.Errorf("got  %s: %s\nwant %s: %s", v.Outcome, v.Reason, tt.outcome, tt.reason)
			}
			if len(s.tracks) != 1 || s.tracks[0] != "candidate" {
				t.Errorf("asked for %q", s.tracks)
			}
		})
	}
}

// TestLooks takes a look every five seconds.
func TestLooks(t *testing.T) {
	well := pods{good("a"), good("b")}
	lost := pods{good("a"), good("b", unready)}
	for _, tt := range []struct {
		name   string
		looks  []pods
		want   string // P, F, .
		reason string // part of the last
	}{
		{"a restart with an error", []pods{well, {good("a"), good("b", died(1, "Error", 3, "segfault"))}}, "PF",
			`pod b: container app restarted once while the gate watched (exit code 3), its last words: "segfault"; read its log: kubectl logs -n shop b -c app --previous`},
		{"one more restart than at first", []pods{{good("a", died(2, "Error", 3, ""))}, {good("a", died(4, "Error", 3, ""))}}, "PF", "restarted 2 times"},
		{"no more restarts than at first", []pods{{good("a", died(2, "Error", 3, ""))}, {good("a", died(2, "Error", 3, ""))}}, "PP", "2 restarts before the watch began, none since"},
		{"a restart without an error", []pods{well, {good("a"), good("b", died(1, "Completed", 0, ""))}}, "PP", "1 restart without an error"},
		{"a new pod that has restarted", []pods{well, {good("a"), good("b"), good("c", created(start.Add(time.Second)), died(1, "Error", 1, ""))}}, "PF", "pod c"},
		{"an older pod, seen late", []pods{well, {good("c", died(1, "Error", 1, ""))}}, "PP", "1 restart before the watch began"},
		{"unready for long", []pods{well, lost, lost, lost}, "P..F",
			"pod b was ready and has not been for 10s; look at its readiness probe: kubectl describe pod -n shop b"},
		{"unready for a moment", []pods{well, lost, lost, well, lost, lost, well}, "P..P..P", "2 of 2 candidate pods are ready"},
		{"unready from the first look on", []pods{lost, lost, lost}, "..F", "pod b was ready"},
		{"never ready yet", []pods{{good("a"), good("b", fresh)}, {good("a"), good("b", fresh)}, {good("a"), good("b", fresh)}, {good("a"), good("b", fresh)}}, "....", "not ready: b (Running)"},
		{"unready because it leaves", []pods{well, {good("a"), good("b", leaving)}, {good("a"), good("b", leaving)}, {good("a"), good("b", leaving)}}, "PPPP", "1 of 1"},
		{"all of them gone", []pods{well, {}}, "P.", "there are no candidate pods"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := kubernetes.New(&source{looks: tt.looks})
			got, last := "", gates.Verdict{}
			for i := range tt.looks {
				v, err := g.Check(t.Context(), input(i))
				if err != nil {
					t.Fatal(err)
				}
				got += map[gates.Outcome]string{gates.Pass: "P", gates.Fail: "F", gates.Pending: "."}[v.Outcome]
				last = v
			}
			if got != tt.want || !strings.Contains(last.Reason, tt.reason) {
				t.Errorf("got %s, want %s; last: %s", got, tt.want, last.Reason)
			}
		})
	}
}

func TestPodsAreCalledAsAsked(t *testing.T) {
	in := input(0)
	in.Candidate.Called = "new"
	s := &source{looks: []pods{{good("a")}}}
	v, err := kubernetes.New(s).Check(t.Context(), in)
	if err != nil || v.Reason != "1 of 1 new pods are ready, no restarts" || s.tracks[0] != "candidate" {
		t.Errorf("got %+v, %v; asked for %v", v, err, s.tracks)
	}
}

func TestNoPodsIsMissingData(t *testing.T) {
	v, err := kubernetes.New(&source{looks: []pods{{good("a", leaving)}}}).Check(t.Context(), input(0))
	if err != nil || !v.NoData || v.Outcome != gates.Pending {
		t.Errorf("got %+v, %v", v, err)
	}
}

func TestUnreadyForCanBeSet(t *testing.T) {
	g := kubernetes.New(&source{looks: []pods{{good("a"), good("b", unready)}}})
	g.UnreadyFor = time.Minute
	for i := range 14 {
		v, err := g.Check(t.Context(), input(i))
		if want := i >= 12; err != nil || (v.Outcome == gates.Fail) != want {
			t.Fatalf("look %d: %+v, %v", i, v, err)
		}
	}
}

func TestClusterOutOfReachIsNoVerdict(t *testing.T) {
	down := errors.New("connection refused")
	v, err := kubernetes.New(&source{err: down}).Check(t.Context(), input(0))
	if !errors.Is(err, down) || v.Outcome != "" || err.Error() != "list the candidate pods: connection refused" {
		t.Errorf("got %+v, %v", v, err)
	}
}

func TestLastWordsFitOneLine(t *testing.T) {
	words := strings.Repeat("x", 1000) + "\n::error::\x1b[31mthe end"
	v, err := kubernetes.New(&source{looks: []pods{{good("a", waits("CrashLoopBackOff", ""), died(1, "Error", 1, words))}}}).Check(t.Context(), input(0))
	if err != nil || len(v.Reason) > 600 || strings.ContainsAny(v.Reason, "\n\x1b") || !strings.Contains(v.Reason, "the end") {
		t.Errorf("%d characters: %q, %v", len(v.Reason), v.Reason, err)
	}
}

func TestConcurrentLooks(t *testing.T) {
	var list pods
	for i := range 20 {
		list = append(list, good(fmt.Sprint("pod-", i)))
	}
	g := kubernetes.New(steady(list))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if v, err := g.Check(t.Context(), input(i)); err != nil || v.Outcome != gates.Pass {
				t.Errorf("got %+v, %v", v, err)
			}
		})
	}
	wg.Wait()
	if g.Name() != "kubernetes" {
		t.Error(g.Name())
	}
}

// steady always gives the same pods.
type steady pods

func (s steady) Pods(context.Context, string) ([]kubernetes.Pod, error) { return s, nil }
