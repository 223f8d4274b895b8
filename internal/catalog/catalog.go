// Package catalog holds the only lists of strategies, gates, routers and providers. To add one is to write its package
// and to add its line here.
package catalog

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/gates/threshold"
	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/metrics"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/internal/traffic"
	"github.com/tidegate/tidegate/internal/traffic/described"
	"github.com/tidegate/tidegate/internal/traffic/gatewayapi"
	"github.com/tidegate/tidegate/internal/traffic/ingressnginx"
	"github.com/tidegate/tidegate/internal/traffic/istio"
	"github.com/tidegate/tidegate/internal/traffic/selector"
	"github.com/tidegate/tidegate/internal/traffic/traefik"
	"github.com/tidegate/tidegate/strategies"
	"github.com/tidegate/tidegate/strategies/bluegreen"
	"github.com/tidegate/tidegate/strategies/canary"
	"github.com/tidegate/tidegate/strategies/recreate"
	"github.com/tidegate/tidegate/strategies/rolling"
	"github.com/tidegate/tidegate/strategies/shadow"
)

// Strategy is the compiler for the spec's strategy block.
func Strategy(s spec.Strategy) (strategies.Strategy, error) {
	for _, known := range []strategies.Strategy{recreate.Strategy{}, rolling.Strategy{}, bluegreen.Strategy{}, canary.Strategy{}, shadow.Strategy{}} {
		if known.Name() == s.Kind() {
			return known, nil
		}
	}
	return nil, fmt.Errorf("this version of Tidegate has no strategy %q", s.Kind())
}

// Validate says what of a well-formed spec no rollout could be made of, whatever the cluster holds.
func Validate(d spec.Deploy) error {
	if c := d.Spec.Strategy.Canary; c != nil && d.Spec.Traffic == nil {
		return byReplicas(*c)
	}
	return routed(d)
}

// byReplicas says what of a canary cannot be had without a route.
func byReplicas(c spec.Canary) error {
	const route = "add a route, traffic: {gatewayAPI: {httpRoute: NAME}}"
	switch {
	case c.Sticky != nil:
		return errors.New("spec.strategy.canary.sticky: without a route whoever sends to the Service's pods meets either version by chance, and nothing " +
			"could keep a user on one; remove it, or " + route)
	case c.Settle == spec.SettleInPlace:
		return errors.New("spec.strategy.canary.settle: inPlace rolls the base under its share of a route's requests, and there is no route; " +
			"remove it, or " + route)
	case c.Drain != nil:
		return errors.New("spec.strategy.canary.drain: without a route pods stop while requests come to them, so that there is nothing to wait for; " +
			"remove it and give the container a preStop hook, or " + route)
	}
	return nil
}

// routers are the kinds of routers over routes.
func routers() []traffic.Kind {
	return append([]traffic.Kind{gatewayapi.Kind{}, traefik.Kind{}, ingressnginx.Kind{}, istio.Kind{}}, described.Kinds()...)
}

// RouterKind is the kind of router of a spec's block, or of a plan's traffic, by its name; nil for an unknown one, and for the
// Service's selector.
func RouterKind(name string) traffic.Kind {
	for _, k := range routers() {
		if k.Name() == name {
			return k
		}
	}
	return nil
}

// KindOf is the kind of router of a spec's block, which may differ from spec to spec; nil for an unknown one.
func KindOf(t spec.Traffic) traffic.Kind {
	kind := RouterKind(t.Kind())
	if specific, ok := kind.(traffic.Specific); ok {
		return specific.Of(t)
	}
	return kind
}

// kindFrom is the kind of router of a plan's traffic.
func kindFrom(t plan.Traffic) (traffic.Kind, error) {
	kind := RouterKind(t.Router)
	if kind == nil {
		return nil, fmt.Errorf("this version of Tidegate has no router %q; run with the version that wrote the plan", t.Router)
	}
	if specific, ok := kind.(traffic.Specific); ok {
		return specific.From(t)
	}
	return kind, nil
}

// Router is the router that a plan's traffic names. Its views belong to the scene.
func Router(client *kube.Client, scene *kube.Scene, workload string, t plan.Traffic) (traffic.Router, error) {
	if t.Router == selector.Name {
		return selector.New(client, scene, workload, t), nil
	}
	kind, err := kindFrom(t)
	if err != nil {
		return nil, err
	}
	return traffic.New(client, scene, workload, kind, t), nil
}

// Provider is the metrics provider that a spec's entry describes.
func Provider(p spec.Provider, c clock.Clock, e *Expander) (metrics.Provider, error) {
	switch {
	case p.Prometheus != nil:
		return prometheusProvider(*p.Prometheus, c, e)
	default:
		return nil, fmt.Errorf("this version of Tidegate has no metrics provider %q", p.Kind())
	}
}

// Gate is the gate that a spec's entry describes, asking one of the providers by its name in the spec. interval is what
// its query calls .Interval.
func Gate(g spec.Gate, interval time.Duration, providers map[string]metrics.Provider) (gates.Gate, error) {
	switch {
	case g.Threshold != nil:
		return threshold.New(threshold.Config{Name: g.Name, Query: g.Threshold.Query, Pass: g.Threshold.Pass,
			Fail: g.Threshold.Fail, Interval: interval}, providers[g.Threshold.From])
	default:
		return nil, fmt.Errorf("this version of Tidegate has no gate kind %q", g.Kind())
	}
}

// Asks is the name of the provider that a gate asks, "" for none.
func Asks(g spec.Gate) string {
	if g.Threshold == nil {
		return ""
	}
	return g.Threshold.From
}

// UsesInterval tells whether a gate's query speaks of .Interval.
func UsesInterval(g spec.Gate) bool {
	return g.Threshold != nil && strings.Contains(g.Threshold.Query, ".Interval")
}

// Share is the part of the requests that a route of the traffic sends to the candidate.
func Share(route plan.Object, t plan.Traffic) plan.Share {
	if t.BySelector() {
		return selector.Share(route, t)
	}
	if kind, err := kindFrom(t); err == nil {
		return kind.Share(route, t)
	}
	return 0
}

// Make is how the spec's router adds objects to a plan; nil where it needs none.
func Make(t *spec.Traffic) func(*plan.Traffic, plan.Baseline, plan.Split) ([]plan.Object, error) {
	if t == nil {
		return nil
	}
	if maker, ok := KindOf(*t).(traffic.Maker); ok {
		return maker.Make
	}
	return nil
}
