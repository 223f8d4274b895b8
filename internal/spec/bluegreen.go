package spec

import "fmt"

// BlueGreen moves every request to the new version at once, and keeps the old one beside it for a while.
type BlueGreen struct {
	Preview *BlueGreenPreview `json:"preview,omitempty" doc:"where the new version can be tried before the switch"`
	KeepOld Duration          `json:"keepOld" spec:"default=10m" doc:"how long the old version stands by after the switch, one write away"`
	Detach  bool              `json:"detach,omitempty" doc:"let the run end while the old version stands by: nobody watches, and a scheduled tidegate deploy --resume goes on"`
	Drain   *Duration         `json:"drain,omitempty" doc:"time for connections to end before pods stop; the pod's grace period when left out"`
	Approve *Approve          `json:"approve,omitempty" doc:"wait for a person before the switch, who answers with tidegate promote or tidegate abort"`
}

// BlueGreenPreview is how people reach the new version before users do.
type BlueGreenPreview struct {
	Host    string `json:"host,omitempty" spec:"oneof,format=subdomain" doc:"a hostname: a copy of each route of spec.traffic answers there with the new version"`
	Service string `json:"service,omitempty" spec:"oneof,format=name" doc:"name of a Service in front of the new version, made for the preview"`
}

var (
	_ phased   = (*BlueGreen)(nil)
	_ finisher = (*BlueGreen)(nil)
	_ detacher = (*BlueGreen)(nil)
)

// StepAt knows the moment when the new version carries everything, 100%.
func (BlueGreen) StepAt(at string) (text string, ok bool) { return atEnd(at) }

func (BlueGreen) moments() []string { return append(fixedMoments(), everything.String()) }

func (b *BlueGreen) detached() (total Duration, path string) {
	if !b.Detach {
		return 0, ""
	}
	return b.KeepOld, "detach"
}

// finish looks at the approval: it comes before the first user.
func (b *BlueGreen) finish(s scope) {
	if b.Approve != nil && b.Approve.Unattended {
		s.fail("approve.unattended", "no user is on the new version before the switch, so nobody has to watch", "Remove it.")
	}
}

// finishBlueGreen compares the strategy with the rest of the spec.
func (sp *Spec) finishBlueGreen(s scope) {
	if b := sp.Strategy.BlueGreen; b != nil {
		sp.checkBlueGreen(s, b, "strategy.blueGreen")
	}
}

// checkBlueGreen compares a switch, whose block is at the path, with the rest of the spec.
func (sp *Spec) checkBlueGreen(s scope, b *BlueGreen, path string) {
	if s.ok(path+".keepOld") && s.ok("deadline") && b.KeepOld >= sp.Deadline {
		s.fail(path+".keepOld", fmt.Sprintf("%s is not over before the rollout's deadline (%s), which would undo it", b.KeepOld, sp.Deadline),
			"Keep the old version for a shorter time, or raise spec.deadline.")
	}
	if b.Preview == nil || !s.ok(path+".preview") {
		return
	}
	if b.Preview.Host != "" && sp.Traffic == nil && s.ok("traffic") {
		s.fail(path+".preview.host", "there is no route that could answer at a hostname of its own",
			"Add one: traffic: {gatewayAPI: {httpRoute: NAME}}, or write preview: {service: NAME}.")
	}
	for _, taken := range []struct{ name, whose string }{
		{sp.Service, "the workload's Service"}, {candidateOf(sp.Service), "the candidate's Service"},
	} {
		if b.Preview.Service != "" && b.Preview.Service == taken.name {
			s.fail(path+".preview.service", fmt.Sprintf("`%s` is %s", taken.name, taken.whose), "Give the preview a name of its own.")
		}
	}
}

// candidateOf is the name of the candidate's Service, as long as nothing has to be cut.
func candidateOf(service string) string {
	if service == "" {
		return ""
	}
	return service + "-candidate"
}

// MovesService tells that requests are moved by the selector of the workload's Service, for there is no route.
func (sp Spec) MovesService() bool { return sp.Strategy.BlueGreen != nil && sp.Traffic == nil }
