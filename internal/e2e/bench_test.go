//go:build linux

package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/sandbox/github"
	"github.com/tidegate/tidegate/internal/sandbox/load"
)

// peak is the most memory that an ended process had, in MB.
func (p *process) peak() float64 {
	return float64(p.cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss) / 1024
}

var callsLine = regexp.MustCompile(`calls to the Kubernetes API: (\d+), of them (\d+) preflight`)

// calls are how many calls a deploy with --calls made, beside watches, lease and events, and how many of them in preflight.
func (p *process) calls() (all, preflight float64) {
	p.t.Helper()
	m := callsLine.FindStringSubmatch(p.log.String())
	if m == nil {
		p.t.Fatalf("%s does not tell its calls", p.description)
	}
	all, _ = strconv.ParseFloat(m[1], 64)
	preflight, _ = strconv.ParseFloat(m[2], 64)
	return all, preflight
}

// BenchmarkGood carries a good version through 10, 25 and 50 % with holds of 10 s under 200 requests a second. It is to
// lose none and to take 50 s at most, with 60 calls to the API, 15 of them preflight, and 80 MB.
func BenchmarkGood(b *testing.B) {
	for _, c := range []struct{ name, from, to string }{{"graceful", "v1", "v2"}, {"rude", "v9", "v10"}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				s := open(b, layout{version: c.from, hold: "10s"})
				p := s.deploy(c.to, "--calls")
				p.want(0)
				s.whole(c.to)
				sum := load.Summarize(s.users.Stop())
				calls, preflight := p.calls()
				b.ReportMetric(float64(sum.Lost), "lost")
				b.ReportMetric(float64(sum.Failed), "failed")
				b.ReportMetric(p.took().Seconds(), "s/rollout")
				b.ReportMetric(calls, "calls")
				b.ReportMetric(preflight, "preflight-calls")
				b.ReportMetric(p.peak(), "MB-peak")
				table("good canary, "+c.name, "requests", sum.Sent, "lost", sum.Lost, "failed", sum.Failed, "seconds", p.took().Seconds(),
					"calls", calls, "of them preflight", preflight, "peak MB", p.peak())
			}
		})
	}
}

// BenchmarkBad gives 10 % of 50 requests a second to a version that fails 30 % of them. From the first to the last bad
// answer it is to take 4 s and 25 requests that met the version in the median, 6 s and 40 at the worst.
func BenchmarkBad(b *testing.B) {
	const runs = 10
	for b.Loop() {
		s := open(b, layout{rate: 50, hold: "30s"})
		var seconds, met, failed []float64
		for range runs {
			begun := time.Now()
			s.deploy("v3").want(3)
			s.whole("v1")
			sum := load.Summarize(s.between(begun, time.Now()))
			seconds = append(seconds, sum.LastBad.Sub(sum.FirstBad).Seconds())
			met = append(met, float64(sum.ByVersion["v3"]))
			failed = append(failed, float64(sum.Failed))
			fmt.Printf("    bad run %2d: %.1f s from the first bad answer to the last, %d requests met the version, %d failed\n",
				len(met), seconds[len(seconds)-1], sum.ByVersion["v3"], sum.Failed)
		}
		b.ReportMetric(median(seconds), "s-median")
		b.ReportMetric(slices.Max(seconds), "s-worst")
		b.ReportMetric(median(met), "met-median")
		b.ReportMetric(slices.Max(met), "met-worst")
		table("bad canary", "seconds, median", median(seconds), "seconds, worst", slices.Max(seconds), "met it, median", median(met),
			"met it, worst", slices.Max(met), "failed, median", median(failed), "failed, worst", slices.Max(failed))
	}
}

func median(of []float64) float64 {
	sorted := slices.Sorted(slices.Values(of))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// BenchmarkBinary measures the stripped binary and how long its smallest command takes.
func BenchmarkBinary(b *testing.B) {
	info, err := os.Stat(binary)
	if err != nil {
		b.Fatal(err)
	}
	var took []float64
	for b.Loop() {
		for range 20 {
			begun := time.Now()
			if err := exec.Command(binary, "version").Run(); err != nil {
				b.Fatal(err)
			}
			took = append(took, float64(time.Since(begun).Microseconds())/1000)
		}
	}
	megabytes := float64(info.Size()) / (1 << 20)
	b.ReportMetric(megabytes, "MB")
	b.ReportMetric(median(took), "ms/version")
	table("binary", "MB", megabytes, "ms for version, median", median(took), "ms, best", slices.Min(took))
}

// BenchmarkAction measures the Action's image and how long it takes from the container's start to the first call of the
// cluster: at most 50 MB and 300 ms.
func BenchmarkAction(b *testing.B) {
	calls := make(chan time.Time, 100)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls <- time.Now()
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer api.Close()
	s := &shop{t: b, dir: b.TempDir(), prometheus: cluster.PrometheusURL, namespace: "nowhere", host: "nowhere.test"}
	s.writeSpec(s.fill(userSpec))
	h := openHub(b)
	with := s.with("v2")
	with["kubeconfig"] = fmt.Sprintf("apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: %q}}]\n"+
		"contexts: [{name: c, context: {cluster: c, user: u}}]\ncurrent-context: c\nusers: [{name: u, user: {token: nobody}}]\n", api.URL)
	var took []float64
	for b.Loop() {
		for range 20 {
			j := s.job(h)
			begun := time.Now()
			step := j.start(with)
			took = append(took, float64((<-calls).Sub(begun).Microseconds())/1000)
			step.Kill()
			step.Wait()
			<-step.Gone()
			for len(calls) > 0 {
				<-calls
			}
		}
	}
	megabytes := float64(actionImage.size) / (1 << 20)
	b.ReportMetric(megabytes, "MB-image")
	b.ReportMetric(median(took), "ms-to-cluster")
	table("the Action's image", "MB", megabytes, "ms from the container's start to the first call, median", median(took), "ms, worst", slices.Max(took))
}

// BenchmarkGitHubRequests counts what a rollout asks of GitHub: at most 25 requests with 3 steps and 40 with 10.
func BenchmarkGitHubRequests(b *testing.B) {
	for _, c := range []struct{ name, steps string }{{"3 steps", "10%, 25%, 50%"}, {"10 steps", "1%, 2%, 5%, 10%, 20%, 30%, 40%, 50%, 60%, 80%"}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				s, h := open(b, layout{steps: c.steps}), openHub(b)
				if o := s.job(h).start(s.with("v2")).Wait(); o.Outputs["result"] != "succeeded" {
					b.Fatal(o.Outputs)
				}
				s.users.Stop()
				b.ReportMetric(float64(len(h.Requests())), "requests")
				table("requests to GitHub, "+c.name, "requests", len(h.Requests()))
			}
		})
	}
}

// BenchmarkGitHubDown compares a rollout that GitHub is told of with one during which it answers 502 throughout: it is to
// take no longer.
func BenchmarkGitHubDown(b *testing.B) {
	for b.Loop() {
		took := map[string][]float64{}
		for range 5 {
			for _, state := range []string{"up", "down"} {
				s, h := open(b, layout{}), openHub(b)
				if state == "down" {
					h.Fault(func(*http.Request) *github.Answer { return github.BadGateway() })
				}
				j := s.job(h)
				o := j.start(s.with("v2")).Wait()
				if o.Outputs["result"] != "succeeded" {
					b.Fatalf("with GitHub %s: %v", state, o.Outputs)
				}
				took[state] = append(took[state], o.Duration.Seconds())
				s.users.Stop()
			}
		}
		b.ReportMetric(median(took["up"]), "s-up")
		b.ReportMetric(median(took["down"]), "s-down")
		table("a rollout's seconds", "GitHub answers, median", median(took["up"]), "worst", slices.Max(took["up"]),
			"502 throughout, median", median(took["down"]), "worst", slices.Max(took["down"]))
	}
}

// table prints measures by name, one a line.
func table(title string, rows ...any) {
	fmt.Printf("\n  %s\n", title)
	for i := 0; i+1 < len(rows); i += 2 {
		if f, ok := rows[i+1].(float64); ok {
			rows[i+1] = strconv.FormatFloat(f, 'f', 1, 64)
		}
		fmt.Printf("    %-24s %10v\n", rows[i], rows[i+1])
	}
}
