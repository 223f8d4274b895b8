package preflight

import (
	"context"
	"fmt"
	"slices"

	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
)

// readFeatures reads what the gateways say they can do. The controllers that answered for the routes are known from the
// routes' status, so that one call for all GatewayClasses is enough, whatever the number of Gateways.
//
// What the spec says that they can although they do not say so is taken for granted.
func (o *Observed) readFeatures(ctx context.Context, r *reader, d spec.Deploy) error {
	announced, err := o.announced(ctx, r)
	if t := d.Spec.Traffic; t != nil {
		announced = append(announced, t.Assume...)
	}
	slices.Sort(announced)
	o.Baseline.Features = slices.Compact(announced)
	return err
}

func (o *Observed) announced(ctx context.Context, r *reader) ([]string, error) {
	var controllers []string
	for _, route := range o.routes {
		for _, parent := range listAt(route, "status", "parents") {
			if c := textAt(parent, "controllerName"); c != "" {
				controllers = append(controllers, c)
			}
		}
	}
	if len(controllers) == 0 {
		return nil, nil
	}
	classes, err := r.may(ctx, question{apiVersion: kube.GatewayVersion, kind: "GatewayClass",
		unknown: "what the gateway can do beyond the core of the Gateway API"}, "")
	if err != nil {
		return nil, fmt.Errorf("read the GatewayClasses: %w", err)
	}
	return features(classes, controllers), nil
}

// features are those that every class of these controllers supports. They are objects with a name, in v1.0 of the
// Gateway API texts.
func features(classes []plan.Object, controllers []string) []string {
	var common []string
	first := true
	for _, class := range classes {
		if !slices.Contains(controllers, textAt(class, "spec", "controllerName")) {
			continue
		}
		list := textsAt(class, "status", "supportedFeatures")
		for _, f := range listAt(class, "status", "supportedFeatures") {
			list = append(list, nameIn(f))
		}
		if first {
			common, first = list, false
		}
		common = slices.DeleteFunc(common, func(f string) bool { return !slices.Contains(list, f) })
	}
	slices.Sort(common)
	return slices.Compact(common)
}
