// Package demo shows what Tidegate does, without a cluster: on the embedded one, with real HTTP pods, a gateway, a
// Prometheus and a stream of requests, it promotes a good release and rolls a bad one back.
package demo

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
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

//go:embed tidegate.yaml
var deploySpec string

// rate is the requests a second of the demo's users.
const rate = 100

// Options are what the demo takes from its caller.
type Options struct {
	Out   io.Writer
	Clock clock.Clock
	// Deploy runs one rollout and shows it.
	Deploy func(ctx context.Context, o app.Options) (app.Result, error)
}

// Run shows a good and a bad release. It returns an error when either did not end as it should, or a request was lost.
func Run(ctx context.Context, o Options) error {
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
	stream, err := load.Start(ctx, load.Options{URL: cluster.GatewayURL(), Host: "checkout.local", Rate: rate})
	if err != nil {
		return fmt.Errorf("start the users: %w", err)
	}
	hub, err := openHub(ctx, o.Clock)
	if err != nil {
		stream.Stop()
		return err
	}
	defer hub.close()
	fmt.Fprintf(o.Out, "An embedded cluster runs checkout:v1 behind a gateway; users send %d requests a second to it.\n"+
		"Prometheus scrapes the pods every second. The deploy spec:\n\n%s\n", rate, deploySpec)
	if err := releases(ctx, o, cluster, hub); err != nil {
		stream.Stop()
		return err
	}
	return errors.Join(hub.story(o.Out), summary(o.Out, stream.Stop()))
}

func releases(ctx context.Context, o Options, cluster *sandbox.Cluster, hub *hub) error {
	for _, r := range []struct {
		image, what string
		want        report.Result
	}{
		{"checkout:v2", "A good release", report.Succeeded},
		{"checkout:v3", "A bad release: 30 % of its answers are errors", report.RolledBack},
	} {
		fmt.Fprintf(o.Out, "── %s: tidegate deploy --image %s ──\n\n", r.what, r.image)
		file, err := spec.Load([]byte(deploySpec), spec.Options{})
		if err != nil {
			return err
		}
		result, err := o.Deploy(ctx, app.Options{
			Deploy: file.Deploys[0], Images: map[string]string{"": r.image}, Config: cluster.Config(), Holder: "demo", Clock: o.Clock,
			Getenv: func(name string) (string, bool) { return cluster.PrometheusURL(), name == "PROMETHEUS_URL" },
			Warn:   func(text string) {},
			GitHub: hub.target(file.Deploys[0], r.image),
		})
		if err != nil {
			return err
		}
		if result.Result != r.want {
			return fmt.Errorf("%s ended as %q, not as %q: %s", r.image, result.Result, r.want, result.Reason)
		}
		fmt.Fprintln(o.Out)
	}
	return nil
}

func summary(w io.Writer, answers []load.Answer) error {
	s := load.Summarize(answers)
	fmt.Fprintf(w, "── What the users saw ──\n\n  requests  %d\n  served    %d\n  failed    %d  answered with an error by the bad version itself, in the %.1f s until it was off\n  lost      %d  no answer, or an error that no version sent\n\n",
		s.Sent, s.Served, s.Failed, s.LastBad.Sub(s.FirstBad).Seconds(), s.Lost)
	for _, version := range []string{"v1", "v2", "v3"} {
		fmt.Fprintf(w, "  %s  %6d answers\n", version, s.ByVersion[version])
	}
	if s.Lost > 0 {
		return errors.New("requests were lost")
	}
	return nil
}
