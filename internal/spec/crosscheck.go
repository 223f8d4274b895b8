package spec

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// alwaysOn is the name of the gate on the candidate's pods.
const alwaysOn = "kubernetes"

// fixedMoments is what a gate's at can name beside the steps where a candidate stands beside the base.
func fixedMoments() []string { return []string{AtCandidateReady, AtBeforeSettle, AtBake} }

// finish fills in and checks what refers from one part of the spec to another.
func (sp *Spec) finish(s scope) {
	sp.finishKind(s)
	names := map[string]bool{}
	for i := range sp.Gates {
		g, path := &sp.Gates[i], fmt.Sprintf("gates[%d]", i)
		if g.Name != "" && names[g.Name] {
			s.fail(path+".name", fmt.Sprintf("`%s` is the name of an earlier gate", g.Name), "Give each gate a name of its own.")
		}
		if g.Name == alwaysOn {
			s.fail(path+".name", fmt.Sprintf("`%s` is the gate that is always on", alwaysOn), "Give the gate another name.")
		}
		names[g.Name] = true
		if from := g.from(); from != nil {
			sp.finishFrom(s, fmt.Sprintf("%s.%s", path, g.Kind()), from)
		}
		sp.checkAt(s, path, g.At)
	}
	sp.finishBlueGreen(s)
	sp.finishShadow(s)
	sp.checkDetached(s)
}

// finishFrom fills in the provider of a gate, or checks that it exists.
func (sp *Spec) finishFrom(s scope, block string, from *string) {
	names := slices.Sorted(maps.Keys(sp.Metrics))
	_, known := sp.Metrics[*from]
	switch {
	case !s.ok(block + ".from"), known:
	case len(names) == 0 && s.ok("metrics"):
		s.fail(block, "there is no `metrics` entry to ask", "Add one to spec.metrics, such as prom: {prometheus: {url: \"https://…\"}}.")
	case len(names) == 0: // its mistakes are reported where they are
	case *from != "":
		s.fail(block+".from", fmt.Sprintf("unknown `metrics` entry `%s`%s", *from, didYouMean(*from, names)), "It must be "+oneOf(names)+".")
	case len(names) == 1:
		*from = names[0]
	default:
		s.fail(block, "`from` is missing, and there are several `metrics` entries", "Write from: with "+oneOf(names)+".")
	}
}

// checkAt checks that a gate is asked at moments that the rollout has.
func (sp *Spec) checkAt(s scope, gate string, at []string) {
	strategy, ok := blockOf(sp.Strategy).(phased)
	if !ok || !s.ok("strategy") {
		return // the names of its steps are not to be trusted
	}
	known := strategy.moments()
	for i, name := range at {
		path := fmt.Sprintf("%s.at[%d]", gate, i)
		if slices.Contains(known, name) || !s.ok(path) {
			continue
		}
		if text, step := strategy.StepAt(name); step {
			at[i] = text // 25.0% is 25%
			continue
		}
		meant := ""
		if !strings.HasSuffix(name, "%") { // the nearest digits mean nothing
			meant = didYouMean(name, known)
		}
		s.fail(path, fmt.Sprintf("`%s` is no moment of this rollout%s", name, meant), "It must be "+oneOf(known)+".")
	}
}
