package spec

import (
	"fmt"
	"slices"
	"strings"
)

// Settle says how the base takes over the new version.
type Settle string

// The ways in which the base takes the new version over: while the candidate carries everything, or under its own share of
// the requests, so that the candidate never needs its full size.
const (
	SettleOffTraffic Settle = "offTraffic"
	SettleInPlace    Settle = "inPlace"
)

// Canary gives a second Deployment a growing share of the requests.
type Canary struct {
	Steps   []Step    `json:"steps" spec:"required,nonempty" doc:"the shares, rising from step to step, and the approvals between them"`
	Hold    Duration  `json:"hold,omitempty" doc:"hold of the steps that name none"`
	Bake    Duration  `json:"bake" spec:"default=0s" doc:"time at full share (settle: inPlace: at the last one) with the base untouched, before it settles"`
	Settle  Settle    `json:"settle" spec:"default=offTraffic,enum=offTraffic|inPlace" doc:"how the base takes over the new version: without requests, or under its share of them"`
	Drain   *Duration `json:"drain,omitempty" doc:"time for connections to end before pods stop; the pod's grace period when left out"`
	MinPods int       `json:"minPods" spec:"default=1,min=1" doc:"fewest pods of the candidate"`

	Sticky   *Sticky   `json:"sticky,omitempty" doc:"true, or how: each user sees one version until the step that moves them, and the shares are shares of users"`
	Internal *Internal `json:"internal,omitempty" doc:"who meets the new version in a step of its own, before anyone else"`
}

// Step is one share of the requests, kept for a time while gates watch, or a
// wait for a person. Its short form is the weight alone.
type Step struct {
	_ struct{} `spec:"short=weight"`

	Weight  Percent  `json:"weight,omitempty" spec:"oneof" doc:"share of the requests that the candidate gets"`
	Approve *Approve `json:"approve,omitempty" spec:"oneof" doc:"wait for a person, who answers with tidegate promote or tidegate abort"`
	Hold    Duration `json:"hold" doc:"how long the step stays; the canary's hold when left out"`
	Detach  bool     `json:"detach,omitempty" doc:"let the run end while the step holds: nobody watches, and a scheduled tidegate deploy --resume goes on"`
	Name    string   `json:"name,omitempty" spec:"format=name" doc:"name of the step, for a gate's at"`
	Pods    int      `json:"pods,omitempty" spec:"min=1" doc:"pods of the candidate in this step; as many as the weight asks for when left out"`
}

var (
	_ phased   = (*Canary)(nil)
	_ finisher = (*Canary)(nil)
)

// StepAt is the name or the weight, as a gate's at has it, of one of the steps.
func (c Canary) StepAt(at string) (text string, ok bool) {
	weight, err := ParsePercent(at)
	for _, step := range c.Steps {
		switch {
		case at != "" && step.Name == at:
			return at, true
		case err == nil && step.Weight == weight:
			return weight.String(), true
		}
	}
	return "", false
}

// moments are each step's name, or its weight if it has none, and those that every canary has.
func (c Canary) moments() []string {
	var names []string
	if c.Internal != nil {
		names = append(names, AtInternal)
	}
	for _, step := range c.Steps {
		switch {
		case step.Name != "":
			names = append(names, step.Name)
		case step.Approve == nil:
			names = append(names, step.Weight.String())
		}
	}
	return append(names, fixedMoments()...)
}

// stages are the steps that every canary has beside those of the spec.
func stages() []string {
	return []string{"candidate", "full", "confirm", "roll-base", "return", "clean-up"}
}

// finish gives the steps their hold, and compares the steps with each other.
func (c *Canary) finish(s scope) {
	var last Percent
	names := map[string]bool{}
	if c.Internal != nil {
		names[AtInternal] = true
		if !s.written("internal.hold") {
			c.Internal.Hold = c.Hold
		}
	}
	for i := range c.Steps {
		step, path := &c.Steps[i], fmt.Sprintf("steps[%d]", i)
		if step.Approve != nil {
			step.finishApproval(s, path, last)
		} else if !s.written(path + ".hold") {
			step.Hold = c.Hold
		}
		checkDetach(s, path, step.Detach && step.Approve == nil, step.Hold)
		if step.Weight != 0 && step.Weight <= last {
			s.fail(path, fmt.Sprintf("%s does not rise above the %s before it", step.Weight, last), "Shares rise from step to step.")
		}
		last = max(last, step.Weight)
		step.checkName(s, path+".name", names)
	}
	c.finishSettle(s, last)
	c.finishSticky(s)
}

// finishSettle: a base that is rolled under its share of the requests has one, and there is a share that it leaves.
func (c *Canary) finishSettle(s scope, last Percent) {
	if c.Settle != SettleInPlace || !s.ok("settle") || !s.ok("steps") {
		return
	}
	switch last {
	case 0:
		s.fail("settle", "inPlace needs a step with a weight: the candidate keeps its share while the base is rolled", "Add one, such as 50%, or remove `settle`.")
	case All:
		s.fail(fmt.Sprintf("steps[%d]", c.lastWeight()), "with `settle: inPlace` the candidate never gets every request, for it never grows to full size",
			"End with a smaller share, such as 50%, or remove `settle: inPlace`.")
	}
}

// lastWeight is the index of the last step with a weight, or -1.
func (c *Canary) lastWeight() int {
	for i := len(c.Steps) - 1; i >= 0; i-- {
		if c.Steps[i].Approve == nil {
			return i
		}
	}
	return -1
}

// Last is the greatest share; 0 without a step that has one.
func (c *Canary) Last() Percent {
	if i := c.lastWeight(); i >= 0 {
		return c.Steps[i].Weight
	}
	return 0
}

// checkName wants a name that nothing else has.
func (step Step) checkName(s scope, path string, taken map[string]bool) {
	switch {
	case slices.Contains(stages(), step.Name), strings.HasPrefix(step.Name, "shift-"):
		s.fail(path, fmt.Sprintf("`%s` is a step of every canary", step.Name), "Give the step another name.")
	case step.Name == unnamedApproval, strings.HasPrefix(step.Name, unnamedApproval+"-"):
		s.fail(path, fmt.Sprintf("`%s` is what an approval without a name is called", step.Name), "Give the step another name.")
	case slices.Contains(fixedMoments(), step.Name):
		s.fail(path, fmt.Sprintf("`%s` is a moment of every rollout", step.Name), "Give the step another name.")
	case step.Name == AtInternal && taken[step.Name]:
		s.fail(path, fmt.Sprintf("`%s` is the step of the canary's ring", step.Name), "Give the step another name.")
	case step.Name != "" && taken[step.Name]:
		s.fail(path, fmt.Sprintf("`%s` is the name of an earlier step", step.Name), "Give each step a name of its own.")
	}
	taken[step.Name] = true
}
