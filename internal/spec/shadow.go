package spec

import (
	"fmt"
	"slices"
)

// AtShadow is the step in which copies of the requests go to the new version, and the moment by which a gate's at names it.
const AtShadow = "shadow"

// ShadowVariable is the variable by which the new version knows that it is a shadow.
const ShadowVariable = "TIDEGATE_SHADOW"

// Shadow gives the new version a copy of live requests, whose answers no user sees.
type Shadow struct {
	Weight      Percent       `json:"weight" spec:"required" doc:"share of the requests that are copied"`
	Duration    Duration      `json:"duration" spec:"required,positive" doc:"how long, while gates watch"`
	SideEffects SideEffects   `json:"sideEffects" spec:"required" doc:"isolated: the copies change nothing that users share; a copy of a write is a second write, so override in env what the new version writes to"`
	Env         []EnvVar      `json:"env,omitempty" spec:"nonempty" doc:"environment of the new version while it is a shadow: a scratch database, a muted mailer"`
	MinPods     int           `json:"minPods" spec:"default=1,min=1" doc:"fewest pods of the shadow"`
	Drain       *Duration     `json:"drain,omitempty" doc:"time for copies to end before the shadow's pods stop; the pod's grace period when left out"`
	Then        *ThenStrategy `json:"then,omitempty" doc:"the strategy that follows; none when left out: the rollout ends with a report, and users stay with the old version"`
}

// SideEffects says what the copies of requests may change.
type SideEffects string

// SideEffectsIsolated says that copies change nothing that users share.
const SideEffectsIsolated SideEffects = "isolated"

// EnvVar is one variable of the environment, for every container that gets a new image.
type EnvVar struct {
	Name      string     `json:"name" spec:"required" doc:"its name"`
	Value     string     `json:"value,omitempty" spec:"oneof,format=value" doc:"its value, which may be empty"`
	ValueFrom *EnvSource `json:"valueFrom,omitempty" spec:"oneof" doc:"where its value is, as Kubernetes has it"`
}

// EnvSource is an object in the workload's namespace that holds a value.
type EnvSource struct {
	SecretKeyRef    *KeyRef `json:"secretKeyRef,omitempty" spec:"oneof" doc:"a key of a Secret"`
	ConfigMapKeyRef *KeyRef `json:"configMapKeyRef,omitempty" spec:"oneof" doc:"a key of a ConfigMap"`
}

// KeyRef is one key of an object.
type KeyRef struct {
	Name string `json:"name" spec:"required,format=subdomain" doc:"name of the object"`
	Key  string `json:"key" spec:"required" doc:"the key in it"`
}

// ThenStrategy is what follows a shadow.
type ThenStrategy struct {
	Rolling   *Rolling   `json:"rolling,omitempty" spec:"oneof" doc:"pod by pod"`
	BlueGreen *BlueGreen `json:"blueGreen,omitempty" spec:"oneof" doc:"every request at once, with the old version standing by"`
	Canary    *Canary    `json:"canary,omitempty" spec:"oneof" doc:"a growing share of the requests, step by step"`
}

// Strategy is the strategy that follows, as if it stood alone.
func (t ThenStrategy) Strategy() Strategy {
	return Strategy{Rolling: t.Rolling, BlueGreen: t.BlueGreen, Canary: t.Canary}
}

var (
	_ phased   = (*Shadow)(nil)
	_ finisher = (*Shadow)(nil)
	_ detacher = (*Shadow)(nil)
)

// own are the moments of the shadow itself.
func (Shadow) own() []string { return []string{AtCandidateReady, AtShadow} }

// moments are those of the shadow, and of what follows it.
func (s Shadow) moments() []string {
	all := s.own()
	if next := s.next(); next != nil {
		for _, name := range next.moments() {
			if !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	return all
}

// StepAt is a step of what follows: the shadow's own have no other names than the moments.
func (s Shadow) StepAt(at string) (text string, ok bool) {
	if next := s.next(); next != nil {
		return next.StepAt(at)
	}
	return "", false
}

// next are the moments of what follows; nil for nothing.
func (s Shadow) next() phased {
	if s.Then == nil {
		return nil
	}
	next, _ := blockOf(s.Then.Strategy()).(phased)
	return next
}

// detached are the holds of what follows, which has a deadline of its own: in the shadow a run stays.
func (s *Shadow) detached() (total Duration, path string) {
	if s.Then == nil {
		return 0, ""
	}
	next := s.Then.Strategy()
	d, ok := blockOf(next).(detacher)
	if !ok {
		return 0, ""
	}
	total, path = d.detached()
	if path == "" {
		return 0, ""
	}
	return total, join(join("then", next.Kind()), path)
}

// finish asks for what keeps users safe from the copies, and looks at the environment.
func (s *Shadow) finish(sc scope) {
	if s.SideEffects != SideEffectsIsolated && sc.written("sideEffects") && sc.ok("sideEffects") {
		sc.fail("sideEffects", fmt.Sprintf("must be `%s`: a copy of a write is a second write, and users share what it changes", SideEffectsIsolated),
			"Override in env what the new version writes to (a scratch database, a muted mailer, another queue), or have it look at "+
				ShadowVariable+"=true; then write sideEffects: isolated.")
	}
	seen := map[string]bool{}
	for i, v := range s.Env {
		path := fmt.Sprintf("env[%d].name", i)
		switch {
		case v.Name == ShadowVariable:
			sc.fail(path, fmt.Sprintf("`%s` is set by Tidegate, to true", ShadowVariable), "Remove the entry.")
		case v.Name != "" && seen[v.Name]:
			sc.fail(path, fmt.Sprintf("`%s` is the name of an earlier variable", v.Name), "Keep one of them.")
		}
		seen[v.Name] = true
	}
}

// finishShadow compares the strategy with the rest of the spec.
func (sp *Spec) finishShadow(s scope) {
	sh := sp.Strategy.Shadow
	if sh == nil {
		return
	}
	const path = "strategy.shadow"
	if sp.Traffic == nil && s.ok("traffic") && !s.written("traffic") {
		s.fail(path, "there is no router that could copy requests", "Add one: traffic: {gatewayAPI: {httpRoute: NAME}}.")
	}
	if s.ok(path+".duration") && s.ok("deadline") && sh.Duration >= sp.Deadline {
		s.fail(path+".duration", fmt.Sprintf("%s is not over before the rollout's deadline (%s), which would undo it", sh.Duration, sp.Deadline),
			"Shorten it, or raise spec.deadline.")
	}
	if sh.Then != nil && sh.Then.BlueGreen != nil {
		sp.checkBlueGreen(s, sh.Then.BlueGreen, path+".then.blueGreen")
	}
}

// Stages are the rollouts that make up a deploy, in their order: a shadow, and what follows it. Each has the gates that have
// a moment in it.
func (d Deploy) Stages() []Deploy {
	sh := d.Spec.Strategy.Shadow
	if sh == nil {
		return []Deploy{d}
	}
	d.whole = d.Digest()
	stages := []Deploy{d.gatedBy(func(at string) bool { return slices.Contains(sh.own(), at) })}
	if sh.Then == nil {
		return stages
	}
	next := sh.next()
	then := d.gatedBy(func(at string) bool {
		_, step := next.StepAt(at)
		return step || slices.Contains(next.moments(), at)
	})
	then.Spec.Strategy = sh.Then.Strategy()
	return append(stages, then)
}

// gatedBy is the spec with the gates that are asked in every hold or at moments that a rollout has.
func (d Deploy) gatedBy(has func(at string) bool) Deploy {
	var kept []Gate
	for _, g := range d.Spec.Gates {
		at := slices.DeleteFunc(slices.Clone(g.At), func(name string) bool { return !has(name) })
		if len(g.At) > 0 && len(at) == 0 {
			continue
		}
		g.At = at
		kept = append(kept, g)
	}
	d.Spec.Gates = kept
	return d
}
