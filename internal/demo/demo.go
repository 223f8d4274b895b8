// Package demo shows what Tidegate does, without a cluster: on the embedded one, with real HTTP pods, a gateway, a
// Prometheus and a stream of requests, it promotes a good release and rolls a bad one back.
package demo

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tidegate/tidegate/internal/app"
	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/sandbox"
	"github.com/tidegate/tidegate/internal/sandbox/load"
	"github.com/tidegate/tidegate/internal/sandbox/service"
	"github.com/tidegate/tidegate/internal/spec"
)

//go:embed objects.yaml
var objects string

//go:embed specs/*.yaml
var specs embed.FS

// Strategies are those that can be shown; the first is shown unless another is asked for.
func Strategies() []string {
	return []string{"canary", "canary-replicas", stickyStrategy, "blueGreen", "rolling", "recreate", "shadow"}
}

// stickyStrategy is the canary that keeps each user on one version.
const stickyStrategy = "sticky"

const (
	rate = 100 // the requests a second of the demo's users, who keep no cookies
	host = "checkout.local"
)

// Options are what the demo takes from its caller.
type Options struct {
	Out   io.Writer
	Clock clock.Clock
	// Strategy is one of Strategies; "" is the first.
	Strategy string
	// Deploy runs one rollout and shows it.
	Deploy func(ctx context.Context, o app.Options) (app.Result, error)
}

// Run shows a good and a bad release. It returns an error when either did not end as it should, or a request was lost.
// With the strategy recreate requests are lost, and it is an error if the rollouts told of another outage than users saw.
// With the strategy shadow it is an error if a user met another version than the old one.
func Run(ctx context.Context, o Options) error {
	o.Strategy = cmp.Or(o.Strategy, Strategies()[0])
	deploySpec, err := specs.ReadFile("specs/" + o.Strategy + ".yaml")
	if err != nil {
		return fmt.Errorf("the demo has no strategy %q; it has %s", o.Strategy, strings.Join(Strategies(), ", "))
	}
	cluster, err := sandbox.Start(ctx, sandbox.Options{Traffic: true, Clock: o.Clock, ReadyAfter: time.Second, Images: map[string]service.Config{
		"checkout:v1": {Version: "v1"},
		"checkout:v2": {Version: "v2"},
		"checkout:v3": {Version: "v3", ErrorRate: 0.3},
	}})
	if err != nil {
		return fmt.Errorf("start the embedded cluster: %w", err)
	}
	defer cluster.Close()
	if err := cluster.Apply(ctx, objects); err != nil {
		return fmt.Errorf("fill the embedded cluster: %w", err)
	}
	if err := clock.Sleep(ctx, o.Clock, 3*time.Second); err != nil { // until v1 is ready and scraped
		return err
	}
	stream, err := load.Start(ctx, load.Options{URL: cluster.GatewayURL(), Host: host, Rate: rate})
	if err != nil {
		return fmt.Errorf("start the users: %w", err)
	}
	keeping := openBrowsers(ctx, o, cluster.GatewayURL(), host)
	defer keeping.stop()
	hub, err := openHub(ctx, o.Clock)
	if err != nil {
		stream.Stop()
		return err
	}
	defer hub.close()
	fmt.Fprintf(o.Out, "An embedded cluster runs checkout:v1 behind a gateway; users send %d requests a second to it.\n"+
		"%sPrometheus scrapes the pods every second. The deploy spec:\n\n%s\n", rate, keeping.says(), deploySpec)
	outage, err := releases(ctx, o, deploySpec, cluster, hub)
	if err != nil {
		stream.Stop()
		return err
	}
	answers := stream.Stop()
	keeping.stop()
	seen := load.Summarize(answers)
	return errors.Join(hub.story(o.Out), summary(o, answers), keeping.story(o.Out), lost(o, seen.Lost, outage), met(o, seen))
}

// releases returns for how long no pod was ready, as the rollouts tell it.
func releases(ctx context.Context, o Options, deploySpec []byte, cluster *sandbox.Cluster, hub *hub) (outage time.Duration, err error) {
	for _, r := range []struct {
		image, what string
		want        report.Result
	}{
		{"checkout:v2", "A good release", report.Succeeded},
		{"checkout:v3", "A bad release: 30 % of its answers are errors", report.RolledBack},
	} {
		fmt.Fprintf(o.Out, "── %s: tidegate deploy --image %s ──\n\n", r.what, r.image)
		file, err := spec.Load(deploySpec, spec.Options{})
		if err != nil {
			return 0, err
		}
		result, err := o.Deploy(ctx, app.Options{
			Deploy: file.Deploys[0], Images: map[string]string{"": r.image}, Config: cluster.Config(), Holder: "demo", Clock: o.Clock,
			Getenv: func(name string) (string, bool) { return cluster.PrometheusURL(), name == "PROMETHEUS_URL" },
			Warn:   func(text string) {},
			GitHub: hub.target(file.Deploys[0], r.image),
		})
		if err != nil {
			return 0, err
		}
		outage += time.Duration(result.Outage * float64(time.Second))
		if result.Result != r.want {
			return 0, fmt.Errorf("%s ended as %q, not as %q: %s", r.image, result.Result, r.want, result.Reason)
		}
		fmt.Fprintln(o.Out)
	}
	return outage, nil
}

func summary(o Options, answers []load.Answer) error {
	w, s, who := o.Out, load.Summarize(answers), "the users"
	if o.Strategy == stickyStrategy {
		who = "users without cookies"
	}
	fmt.Fprintf(w, "── What %s saw ──\n\n  requests  %d\n  served    %d\n  failed    %d  answered with an error by the bad version itself, in the %.1f s until it was off\n  lost      %d  no answer, or an error that no version sent\n\n",
		who, s.Sent, s.Served, s.Failed, s.LastBad.Sub(s.FirstBad).Seconds(), s.Lost)
	for _, version := range []string{"v1", "v2", "v3"} {
		fmt.Fprintf(w, "  %s  %6d answers\n", version, s.ByVersion[version])
	}
	return nil
}

// met judges whom users met beside the old version: with a shadow nobody.
func met(o Options, s load.Summary) error {
	if o.Strategy == "shadow" && s.ByVersion["v1"] != s.Sent {
		return fmt.Errorf("of %d requests only %d were answered by the old version", s.Sent, s.ByVersion["v1"])
	}
	return nil
}

// lost judges the requests that nobody answered: there may be none, but for the outages that were told of.
func lost(o Options, n int, told time.Duration) error {
	if o.Strategy != "recreate" {
		if n > 0 {
			return errors.New("requests were lost")
		}
		return nil
	}
	seen := time.Duration(n) * time.Second / rate
	fmt.Fprintf(o.Out, "\n  no pod was ready for %.1f s, there and back, as the rollouts told it; the lost requests are %.1f s of them\n",
		told.Seconds(), seen.Seconds())
	const outages = 3 // to v2, to v3, and back
	if (told - seen).Abs() > outages*time.Second {
		return errors.New("the rollouts told of another outage than users saw")
	}
	return nil
}
