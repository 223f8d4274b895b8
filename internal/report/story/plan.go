package story

import (
	"fmt"
	"time"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
)

const (
	guard = 2 * time.Second
	drain = 30 * time.Second
)

// Canary is a plan as the canary strategy writes it: 5, 25 and 50 %, then everything.
func Canary() plan.Plan {
	route := plan.Ref{APIVersion: "gateway.networking.k8s.io/v1", Kind: "HTTPRoute", Namespace: "shop", Name: "checkout"}
	workload := plan.Ref{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "shop", Name: "checkout"}
	p := plan.Plan{
		Strategy: "canary", Gates: []string{"kubernetes", "errors", "latency"},
		Target: plan.Target{
			Name: "checkout", Workload: workload, Namespace: "shop", Service: "checkout", SpecHash: "0123456789abcdef", URL: "https://shop.example.com",
			Images: map[string]string{"app": "registry.example.com/shop/checkout:v2"}, From: map[string]string{"app": "registry.example.com/shop/checkout:v1"},
		},
		Objects: plan.Objects{Workload: workload, Size: 4, Traffic: &plan.Traffic{Router: "gatewayAPI", Routes: []plan.Ref{route}, Rules: []string{"api"},
			Base: "checkout", Candidate: "checkout-candidate"}},
		Notes: []string{
			"From full share to the end of the clean-up the candidate runs as many pods as the base: 4 + 4, for about 10m32s plus the time to roll the base.",
			"Callers of Service checkout itself, past the route, never see the split: they meet the new version when the base is rolled.",
			"Connections get 30s to end before pods stop (drain); what lasts longer is cut off.",
		},
	}
	p.Steps = append([]plan.Step{{
		ID: "candidate", Title: "start the candidate and wait until it is ready", Whole: plan.Base,
		Do: []plan.Op{{Kind: plan.EnsureCandidate, Weight: 5 * plan.OnePercent}}, Undo: []plan.Op{{Kind: plan.RemoveCandidate}},
	}}, shifts()...)
	p.Steps = append(p.Steps, settle()...)
	return p
}

func toBase() []plan.Op {
	return []plan.Op{{Kind: plan.SetSplit}, {Kind: plan.Wait, For: plan.Duration(guard + drain)}}
}

func shifts() []plan.Step {
	var steps []plan.Step
	for _, s := range []struct {
		percent plan.Share
		hold    time.Duration
	}{{5, 2 * time.Minute}, {25, 5 * time.Minute}, {50, 5 * time.Minute}, {100, 10 * time.Minute}} {
		weight := s.percent * plan.OnePercent
		step := plan.Step{
			ID: fmt.Sprintf("shift-%d", s.percent), Title: fmt.Sprintf("send %s of the requests to the new version", weight), Weight: weight, Whole: plan.Base,
			Do:   []plan.Op{{Kind: plan.ScaleCandidate, Weight: weight}, {Kind: plan.SetSplit, Weight: weight}},
			Undo: toBase(), Hold: plan.Duration(s.hold), Gates: []string{"kubernetes", "errors", "latency"},
		}
		if weight == plan.All {
			step.ID, step.Title = "full", "send every request to the new version; the base still stands untouched"
		}
		steps = append(steps, step)
	}
	return steps
}

func settle() []plan.Step {
	back := toBase()
	back[0].Strict = true
	everything := plan.Op{Kind: plan.SetSplit, Weight: plan.All}
	wait := plan.Op{Kind: plan.Wait, For: plan.Duration(guard)}
	return []plan.Step{
		{ID: "confirm", Title: "ask every gate once more before the base is touched", Weight: plan.All, Whole: plan.Base, Gates: []string{"kubernetes", "errors", "latency"}},
		{ID: "roll-base", Title: "roll the base to the new version while it has no traffic from the route", Weight: plan.All, Whole: plan.Candidate,
			Do:   []plan.Op{{Kind: plan.RollBase, Version: plan.Candidate}},
			Undo: []plan.Op{{Kind: plan.RollBase, Version: plan.Base}, {Kind: plan.ReleaseBase}}},
		{ID: "return", Title: "send every request to the base, which runs the new version", Weight: plan.All, Whole: plan.Candidate,
			Do: back, Undo: []plan.Op{{Kind: plan.EnsureCandidate, Weight: plan.All}, everything, wait}},
		{ID: "clean-up", Title: "remove the candidate and all marks", Weight: plan.All, Whole: plan.Base,
			Do: []plan.Op{{Kind: plan.ReleaseBase}, {Kind: plan.RemoveCandidate}}},
	}
}

// history is what the record remembers of earlier rollouts.
func history() []engine.Past {
	past := func(id, image string, phase engine.Phase, reason string, ago, took time.Duration) engine.Past {
		return engine.Past{ID: id, Images: map[string]string{"app": "registry.example.com/shop/checkout:" + image}, Phase: phase, Reason: reason,
			Started: start.Add(-ago), Ended: start.Add(-ago + took), Holder: "https://github.com/acme/shop/actions/runs/4700 (attempt 1)"}
	}
	const day = 24 * time.Hour
	return []engine.Past{
		past("checkout-0313-1610", "v1", engine.Succeeded, "", 11*time.Hour, 24*time.Minute),
		past("checkout-0312-0912", "v0.9.1", engine.RolledBack, "gate errors failed: 0.31 is not < 0.01 (result < 0.01)", 2*day, 3*time.Minute),
		past("checkout-0310-0912", "v0.9.0", engine.Succeeded, "", 4*day, 25*time.Minute),
	}
}
