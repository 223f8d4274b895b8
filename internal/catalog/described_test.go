package catalog_test

import (
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/catalog"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
)

// TestDescribed: what a router by description cannot carry is an error that says which can, before anything is read.
func TestDescribed(t *testing.T) {
	custom := &spec.Custom{Object: spec.ObjectRef{Kind: "Divider"}, Weights: spec.SidePaths{Base: "a", Candidate: "b", Total: 100}}
	mirrored := *custom
	mirrored.Mirror = &spec.MirrorPath{Path: "spec.copy", Value: "{{.Percent}}"}
	matched := *custom
	matched.Matches = &spec.MatchesPath{Path: "spec.rules", Header: "{to: {{.Candidate}}}"}
	eaten := *custom
	eaten.Matches = &spec.MatchesPath{Path: "spec.rules", Header: "{to: {{.Candidate}}}", Cookie: "{to: {{.Candidate}}}"}
	header := spec.Strategy{Canary: &spec.Canary{Internal: &spec.Internal{Header: map[string]string{"X-Staff": "1"}}}}
	cookie := spec.Strategy{Canary: &spec.Canary{Internal: &spec.Internal{Cookie: map[string]string{"staff": "1"}}}}
	shadow := spec.Strategy{Shadow: &spec.Shadow{}}
	halves := spec.Strategy{Canary: &spec.Canary{Steps: []spec.Step{{Weight: spec.Percent(plan.OnePercent / 2)}}}}
	for _, tc := range []struct {
		name     string
		traffic  spec.Traffic
		strategy spec.Strategy
		want     string
	}{
		{"a ring", spec.Traffic{Contour: &spec.Contour{}}, spec.Strategy{Canary: &spec.Canary{Internal: &spec.Internal{}}}, "traffic.gatewayAPI"},
		{"a ring without matches", spec.Traffic{Custom: custom}, header, "spec.strategy.canary.internal: the router custom cannot tell requests apart"},
		{"a ring with matches", spec.Traffic{Custom: &matched}, header, ""},
		{"a ring by cookie without one", spec.Traffic{Custom: &matched}, cookie, "spec.strategy.canary.internal.cookie: the router custom cannot tell requests apart by a cookie (matches)"},
		{"a ring by cookie", spec.Traffic{Custom: &eaten}, cookie, ""},
		{"no mirror", spec.Traffic{Custom: custom}, shadow, "traffic.contour"},
		{"a mirror", spec.Traffic{Custom: &mirrored}, shadow, ""},
		{"no parts", spec.Traffic{Custom: custom}, halves, "whole percents only"},
		{"parts", spec.Traffic{SMI: &spec.SMI{}}, halves, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := deploy(t)
			d.Spec.Traffic, d.Spec.Strategy = &tc.traffic, tc.strategy
			if err := catalog.Validate(d); (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
		})
	}
	refs := catalog.KindOf(spec.Traffic{Custom: custom}).Routes(spec.Traffic{Custom: custom}, "shop")
	if len(refs) != 1 || refs[0].Kind != "Divider" || refs[0].Namespace != "shop" {
		t.Errorf("routes %v", refs)
	}
	if _, err := catalog.Router(nil, nil, "checkout", plan.Traffic{Router: "custom"}); err == nil || !strings.Contains(err.Error(), "description") {
		t.Errorf("a plan without its description: %v", err)
	}
}
