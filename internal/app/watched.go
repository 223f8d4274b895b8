package app

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/gates/kubernetes"
	"github.com/tidegate/tidegate/internal/actuate"
	"github.com/tidegate/tidegate/internal/catalog"
	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/metrics"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
)

// podLook is how the gate that is always on is asked. It reads a watch, which costs nothing.
const podLook = time.Second

// providers are the metrics providers that the spec's gates ask, by name, with ${NAMES} expanded.
func (o Options) providers() (map[string]metrics.Provider, error) {
	all := map[string]metrics.Provider{}
	for _, name := range o.Deploy.MetricsInUse() {
		e := &catalog.Expander{Getenv: o.Getenv}
		p, err := catalog.Provider(o.Deploy.Spec.Metrics[name], o.Clock, e)
		if err != nil {
			return nil, invalid("spec.metrics.%s: %w", name, err)
		}
		if o.Secrets != nil {
			o.Secrets(e.Secrets)
		}
		all[name] = p
	}
	return all, nil
}

// watched are the gates of the spec, with the one on pods first. It asks providers for their scrape interval where a
// query needs it.
func (o Options) watched(ctx context.Context, providers map[string]metrics.Provider) ([]engine.Watched, error) {
	all := []engine.Watched{}
	for _, g := range o.Deploy.Spec.Gates {
		gate, err := o.gate(ctx, g, providers)
		if err != nil {
			return nil, err
		}
		all = append(all, engine.Watched{Gate: gate, Rule: rule(g)})
	}
	return all, nil
}

func (o Options) gate(ctx context.Context, g spec.Gate, providers map[string]metrics.Provider) (gates.Gate, error) {
	gate, err := catalog.Gate(g, max(g.Every.Std(), 4*o.scrapeInterval(ctx, g, providers)), providers)
	if err != nil {
		return nil, invalid("spec.gates: %w", err)
	}
	return gate, nil
}

// usualScrape is taken where a provider does not tell how often it scrapes.
const usualScrape = 15 * time.Second

// scrapeInterval is how often the gate's provider gets new numbers, as far as it tells.
func (o Options) scrapeInterval(ctx context.Context, g spec.Gate, providers map[string]metrics.Provider) time.Duration {
	scraper, ok := providers[catalog.Asks(g)].(interface {
		ScrapeInterval(context.Context) (time.Duration, error)
	})
	if !ok || !catalog.UsesInterval(g) {
		return usualScrape
	}
	bound, cancel := clock.WithTimeout(ctx, o.Clock, g.Timeout.Std(), context.DeadlineExceeded)
	defer cancel()
	interval, err := scraper.ScrapeInterval(bound)
	if err != nil || interval <= 0 {
		o.Warn(fmt.Sprintf("gate %s: how often the provider scrapes is not known (%v); .Interval counts with %s", g.Name, err, usualScrape))
		return usualScrape
	}
	return interval
}

func rule(g spec.Gate) gates.Rule {
	return gates.Rule{
		At: g.At, Every: g.Every.Std(), Delay: g.Delay.Std(), Timeout: g.Timeout.Std(), Of: g.Failures.Of, In: g.Failures.In,
		NoData: gates.NoDataPolicy(g.NoData), NoDataFor: g.NoDataFor.Std(), DryRun: g.DryRun,
	}
}

// podGateName is the gate's in plans.
const podGateName = "kubernetes"

// podGate watches the candidate's pods.
func podGate(a *actuate.Actuator) engine.Watched {
	return engine.Watched{
		Gate: kubernetes.New(&podSource{actuator: a, words: map[string]string{}}),
		Rule: gates.Rule{Every: podLook, Timeout: podLook, Of: 1, In: 1, NoData: gates.NoDataWait, NoDataFor: 5 * time.Minute},
	}
}

// podSource shows the gate on pods what the actuator's watch has told.
type podSource struct {
	actuator *actuate.Actuator

	mu    sync.Mutex
	words map[string]string // of crashed containers, by pod and restart
}

// Pods implements kubernetes.Source.
func (s *podSource) Pods(ctx context.Context, track string) ([]kubernetes.Pod, error) {
	var pods []kubernetes.Pod
	for _, p := range s.actuator.Pods(plan.Side(track)) {
		g := gatePod(p)
		if g.LastWords == "" && g.Restarts > 0 && plan.Side(track) == plan.Candidate {
			g.LastWords = s.lastWords(ctx, g)
		}
		pods = append(pods, g)
	}
	return pods, nil
}

// wordsWithin bounds how long a look waits for a log.
const wordsWithin = 500 * time.Millisecond

// lastWords are the end of the log of a container that crashed, asked for once: when the rollout is undone its pods go, and
// the log with them.
func (s *podSource) lastWords(ctx context.Context, p kubernetes.Pod) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := fmt.Sprintf("%s/%d/%s/%d", p.Name, p.Created.Unix(), p.Container, p.Restarts) // a StatefulSet gives a pod's name again
	if _, asked := s.words[key]; !asked {
		bound, cancel := context.WithTimeout(ctx, wordsWithin)
		defer cancel()
		s.words[key] = s.actuator.LastWords(bound, p.Name, p.Container)
	}
	return s.words[key]
}

func gatePod(p kube.Pod) kubernetes.Pod {
	g := kubernetes.Pod{
		Name: p.Name, Phase: p.Phase, Ready: p.Ready, Terminating: p.Terminating, Evicted: p.Evicted,
		Unschedulable: p.Unschedulable, Created: p.Created, ReadySince: p.ReadySince, Restarts: p.Restarts(),
	}
	for _, c := range p.Containers {
		if g.Container != "" && c.Waiting == "" && c.Exit == nil {
			continue // another container is worse off
		}
		g.Container, g.Waiting, g.WaitingMessage = c.Name, c.Waiting, c.WaitingMessage
		if c.Exit != nil {
			g.Terminated, g.ExitCode, g.LastWords = c.Exit.Reason, c.Exit.Code, c.Exit.Message
		}
	}
	return g
}

// look describes the rollout to a gate.
func look(a *actuate.Actuator, p plan.Plan, now func() time.Time) func(plan.Step) gates.Input {
	names := func(side plan.Side) []string {
		var all []string
		for _, pod := range a.Pods(side) {
			all = append(all, pod.Name)
		}
		slices.Sort(all)
		return all
	}
	base, candidate := p.Target.Service, p.Target.Service // in place one Service stands before both
	if t := p.Objects.Traffic; t != nil {
		base, candidate = t.Base, t.Candidate
	}
	called := ""
	if p.Objects.InPlace() {
		called = "new"
	}
	return func(step plan.Step) gates.Input {
		return gates.Input{
			Namespace: p.Target.Namespace, Name: p.Target.Workload.Name, Revision: revision(p.Target.Images), Step: step.ID, Now: now(),
			Base:      gates.Subject{Track: string(plan.Base), Pods: names(plan.Base), Service: base},
			Candidate: gates.Subject{Track: string(plan.Candidate), Called: called, Pods: names(plan.Candidate), Service: candidate},
		}
	}
}

// revision is a short name of a version: the tag or digest of its image, of the first container's by name when there
// are several.
func revision(images map[string]string) string {
	var containers []string
	for c := range images {
		containers = append(containers, c)
	}
	slices.Sort(containers)
	if len(containers) == 0 {
		return ""
	}
	return tag(images[containers[0]])
}

func tag(image string) string {
	for i := len(image) - 1; i >= 0 && image[i] != '/'; i-- {
		if image[i] == ':' || image[i] == '@' {
			return image[i+1:]
		}
	}
	return image
}

// images puts the images that were given on the workload's containers.
func (o Options) images(containers []string) (map[string]string, error) {
	if len(o.Images) == 0 {
		return nil, invalid("no image was given: which version should be deployed? Give --image REF")
	}
	all := map[string]string{}
	for container, image := range o.Images {
		if container == "" {
			container = o.Deploy.Spec.Container
		}
		if container == "" && len(containers) == 1 {
			container = containers[0]
		}
		if container == "" {
			return nil, invalid("%s has several containers (%v): say which one gets the image in spec.container, "+
				"or as --image NAME=REF", o.Deploy.Spec.Workload, containers)
		}
		if !slices.Contains(containers, container) {
			return nil, invalid("%s has no container %q; it has %v", o.Deploy.Spec.Workload, container, containers)
		}
		all[container] = image
	}
	return all, nil
}
