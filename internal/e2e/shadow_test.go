package e2e

import (
	"bufio"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/sandbox/load"
)

// mirroring is the step in which the candidate gets copies.
const mirroring = "shadow"

// shadowing is a shadow of a weight for a time, and what follows; nothing when that is "".
func shadowing(weight, duration, then string) string {
	if then != "" {
		then = ", then: " + then
	}
	return fmt.Sprintf("{shadow: {weight: %s, duration: %s, sideEffects: isolated, env: [{name: DATABASE, value: scratch}]%s}}", weight, duration, then)
}

// copies is how many requests the pods of a version have answered, by their own count, and when that was.
type copies struct {
	n    int
	at   time.Time
	took time.Duration // the count is of some moment within
}

func (s *shop) copies(version string) copies {
	s.t.Helper()
	c, begun := copies{}, time.Now()
	for _, p := range s.list(pods, "") {
		if imageOf(&p) == image(version) && isReady(&p) {
			c.n += s.answered(p.GetName())
		}
	}
	c.took = time.Since(begun)
	c.at = begun.Add(c.took / 2)
	return c
}

// answered reads a pod's counter of requests.
func (s *shop) answered(pod string) int {
	s.t.Helper()
	text := s.kubectl("", "get", "--raw", fmt.Sprintf("/api/v1/namespaces/%s/pods/%s:8080/proxy/metrics", s.namespace, pod))
	sum, lines := 0, bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		if !strings.HasPrefix(lines.Text(), "http_requests_total{") {
			continue
		}
		fields := strings.Fields(lines.Text())
		n, err := strconv.ParseFloat(fields[len(fields)-1], 64)
		if err != nil {
			s.t.Fatalf("%s: %s: %v", pod, lines.Text(), err)
		}
		sum += int(n)
	}
	return sum
}

// mirrored wants the pods of a version to have answered a share of the requests of some seconds, and returns what users
// were answered meanwhile.
func (s *shop) mirrored(version string, weight plan.Share) []load.Answer {
	s.t.Helper()
	time.Sleep(lag)
	first := s.copies(version)
	time.Sleep(8 * time.Second)
	last := s.copies(version)
	users := s.between(first.at, last.at)
	slack := 1 + rate*(first.took+last.took).Seconds()/2*float64(weight)/float64(plan.All)
	s.fair("copies that "+version+" answered", last.n-first.n, len(users), 5*rate, weight, slack)
	return users
}

// latency is the time within which a part of the answers was there.
func latency(answers []load.Answer, part float64) time.Duration {
	if len(answers) == 0 {
		return 0
	}
	took := make([]time.Duration, len(answers))
	for i, a := range answers {
		took[i] = a.Took
	}
	slices.Sort(took)
	return took[int(part*float64(len(took)-1))]
}

// undisturbed wants users to have waited no longer than before, within what a busy machine explains, and to have met v1
// only.
func (s *shop) undisturbed(before, during []load.Answer) {
	s.t.Helper()
	s.t.Logf("users waited, median and p99: %s and %s before (%d answers), %s and %s with the shadow (%d answers)",
		latency(before, .5), latency(before, .99), len(before), latency(during, .5), latency(during, .99), len(during))
	if len(before) < rate || len(during) < rate {
		s.t.Errorf("%d answers before and %d with the shadow are too few to tell", len(before), len(during))
	}
	if most := 3*latency(before, .5) + 20*time.Millisecond; latency(during, .5) > most {
		s.t.Errorf("with the shadow the median is %s, want at most %s", latency(during, .5), most)
	}
	if sum := s.users.Counts(); sum.Failed > 0 || sum.ByVersion["v1"] != sum.Sent {
		s.t.Errorf("users met %v, and %d requests failed, want v1 for all of %d", sum.ByVersion, sum.Failed, sum.Sent)
	}
}

// TestShadow gives versions a copy of the requests: users get what they got before, however slow, wrong or dead the shadow.
func TestShadow(t *testing.T) {
	for _, c := range []struct {
		name, version string
		weight        plan.Share
		mirrored      bool // long enough for its copies to be counted
		code          int
		says          []string
	}{
		{name: "good", version: "v2", weight: 20 * plan.OnePercent, mirrored: true},
		{name: "slow", version: "v8", weight: 50 * plan.OnePercent, mirrored: true},
		{name: "everything", version: "v2", weight: plan.All, mirrored: true},
		{name: "errors", version: "v3", weight: 50 * plan.OnePercent, code: 3, says: []string{"rolled back", "errors"}},
		{name: "crash loop", version: "v6", weight: 50 * plan.OnePercent, code: 3, says: []string{"rolled back", "/etc/checkout/config.yaml: no such file"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.name == "everything" {
				exhaustive(t)
			}
			s := open(t, layout{strategy: shadowing(c.weight.String(), "20s", ""), router: "traefik"})
			time.Sleep(2 * time.Second) // more of the time before
			before := s.users.Snapshot()
			p := s.deploy(c.version)
			var during []load.Answer
			if c.mirrored {
				p.hold(mirroring)
				during = s.mirrored(c.version, c.weight)
			}
			p.want(c.code)
			p.mentions(c.says...)
			if !c.mirrored {
				during = s.between(p.begun, p.ended)
			}
			s.whole("v1")
			s.undisturbed(before, during)
		})
	}
}

// TestShadowDies kills the shadow's pods again and again while they get copies.
func TestShadowDies(t *testing.T) {
	t.Parallel()
	s := open(t, layout{strategy: shadowing("50%", "12s", ""), router: "traefik"})
	time.Sleep(2 * time.Second)
	before := s.users.Snapshot()
	p := s.deploy("v2")
	p.hold(mirroring)
	begun, killed := time.Now(), 0
	for range 6 {
		for _, pod := range s.list(pods, "") {
			if imageOf(&pod) == image("v2") && pod.GetDeletionTimestamp() == nil {
				s.kubectl("", "-n", s.namespace, "delete", "pod", pod.GetName(), "--force", "--grace-period=0", "--ignore-not-found")
				killed++
			}
		}
		time.Sleep(time.Second)
	}
	during := s.between(begun, time.Now())
	if code := p.wait(patience); code != 0 && code != 3 {
		t.Errorf("exit %d, want 0, or 3 where a gate has seen it", code)
	}
	if killed < 2 {
		t.Errorf("%d pods of the shadow were killed, want more", killed)
	}
	s.whole("v1")
	s.undisturbed(before, during)
}

// TestShadowRefused: the gateway of the cluster accepts a mirror of the Gateway API and answers 500 to everyone, so that it
// is refused before anything is touched.
func TestShadowRefused(t *testing.T) {
	t.Parallel()
	s := open(t, layout{strategy: shadowing("20%", "5s", ""), rate: 20})
	for _, command := range []string{"plan", "deploy"} {
		s.run(2, command, "--image", image("v2")).mentions("router-cannot-mirror")
	}
	s.untouched()
	s.whole("v1")
	s.neverMet("v2")
}
