package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/report/words"
)

// Plan writes a plan for a person: what is carried where, the steps with the way back from each, how long it takes at
// least, what it costs, and what the checks found.
func Plan(w io.Writer, p plan.Plan, findings ...Finding) error {
	var b strings.Builder
	t := p.Target
	b.WriteString(words.Line(t.Name) + ": " + words.Images(t.From, t.Images) + "\n")
	b.WriteString(planHead(p).text("  ") + "\n")
	b.WriteString(planSteps(p).text("  "))
	fmt.Fprintf(&b, "\n  At least %s, plus the time that pods need to become ready.\n", words.Duration(p.Length()))
	if len(p.Notes) > 0 {
		b.WriteString("\nNotes\n")
		for _, note := range p.Notes {
			for i, line := range words.Wrap(words.Line(note), planWidth-4) {
				b.WriteString(map[bool]string{true: "  - ", false: "    "}[i == 0] + line + "\n")
			}
		}
	}
	if len(findings) > 0 {
		b.WriteString("\nFindings\n" + findingsText(findings))
	}
	fmt.Fprintf(&b, "\nPlan %s\n", p.Digest())
	_, err := io.WriteString(w, b.String())
	return err
}

// planWidth is the width for which a plan is laid out: it is read in logs and pull requests, too.
const planWidth = 110

func planHead(p plan.Plan) *notes {
	n := &notes{}
	for container, to := range p.Target.Images {
		if from := p.Target.From[container]; len(p.Target.Images) == 1 {
			n.add("from", from)
			n.add("to", to)
		}
	}
	if len(p.Target.Images) > 1 {
		n.add("images", imagesByContainer(p.Target))
	}
	n.add("workload", fmt.Sprintf("%s in namespace %s, %s", p.Target.Workload, p.Target.Namespace, words.Count(p.Objects.Size, "pod")))
	how := p.Strategy
	switch tr := p.Objects.Traffic; {
	case tr.BySelector():
		how += fmt.Sprintf(", requests moved by the selector of Service %s", tr.Base)
	case tr != nil && p.Shadow():
		how += fmt.Sprintf(", requests to Service %s copied by %s", tr.Base, routes(tr))
	case tr != nil:
		whose := "requests to"
		if p.Sticky() {
			whose = "users of"
		}
		how += fmt.Sprintf(", %s Service %s divided by %s", whose, tr.Base, routes(tr))
	}
	if p.Objects.ByReplicas() {
		how += ", requests divided by numbers of pods"
	}
	n.add("strategy", how)
	n.add("url", p.Target.URL)
	return n
}

func routes(tr *plan.Traffic) string {
	var names []string
	for _, r := range tr.Routes {
		names = append(names, r.String())
	}
	text := strings.Join(names, ", ")
	if len(tr.Rules) > 0 {
		text += " (rules " + strings.Join(tr.Rules, ", ") + ")"
	}
	return text
}

func imagesByContainer(t plan.Target) string {
	var lines []string
	for _, container := range sortedKeys(t.Images) {
		line := t.Images[container]
		if from := t.From[container]; from != "" {
			line = from + " → " + line
		}
		lines = append(lines, container+": "+line)
	}
	return strings.Join(lines, "\n")
}

func planSteps(p plan.Plan) *table {
	t := &table{
		headers: []string{"#", "STEP", "WHAT", "NEW", "PODS", "HOLD", "GATES", "WAY BACK"},
		limits:  []int{0, 16, 30, 0, 0, 0, 16, 20},
		right:   []bool{true, false, false, true, false, true, false, false},
	}
	pods, old := 0, p.Objects.Size
	for i, s := range p.Steps {
		pods = newPods(s, p.Objects.Size, pods)
		old = oldPods(s, p.Objects, pods, old)
		hold := "–"
		if s.Hold > 0 {
			hold = words.Duration(time.Duration(s.Hold))
		}
		if s.Detach {
			hold += " alone"
		}
		if s.Approve != nil {
			hold = "person"
		}
		t.add(strconv.Itoa(i+1), s.ID, strings.TrimPrefix(s.Title, s.ID+": "), s.Weight.String(), podsText(old, pods), hold,
			orDash(strings.Join(s.Gates, ", ")), WayBack(p, i))
	}
	return t
}

// newPods is how many pods of the new version there are at the end of a step.
func newPods(s plan.Step, size, before int) int {
	for _, op := range s.Do {
		switch op.Kind {
		case plan.EnsureCandidate, plan.ScaleCandidate:
			before = op.PodsFor(size)
		case plan.RemoveCandidate:
			before = 0
		case plan.RollPods:
			before = op.Pods
		case plan.Roll:
			before = size
		}
	}
	return before
}

// oldPods is how many pods the base has at the end of a step: all, fewer as others take their place, or those that it is
// given.
func oldPods(s plan.Step, o plan.Objects, fresh, before int) int {
	if o.InPlace() {
		return o.Size - fresh
	}
	for _, op := range s.Do {
		if op.Kind == plan.ScaleBase {
			before = op.Pods
		}
	}
	return before
}

// podsText is the pods of the base and the others.
func podsText(old, fresh int) string {
	switch {
	case fresh == 0:
		return strconv.Itoa(old)
	case old == 0:
		return strconv.Itoa(fresh)
	}
	return fmt.Sprintf("%d + %d", old, fresh)
}

func orDash(text string) string {
	if text == "" {
		return "–"
	}
	return text
}

// WayBack says in a few words what an undo from step i does first.
func WayBack(p plan.Plan, i int) string {
	ops := p.UndoFrom(i)
	for _, op := range ops {
		switch op.Kind {
		case plan.SetSplit:
			if op.Shadow {
				return "one write: no copies"
			}
			if op.Split().Nothing() {
				return "one write: all requests to the base"
			}
			return "requests to the candidate, then roll the base back"
		case plan.RollBase:
			return "roll the base back, then the requests to it"
		case plan.ScaleBase:
			return "the base at its size, then remove the candidate"
		case plan.Roll:
			return op.String()
		case plan.RemoveCandidate:
			return "remove the candidate"
		}
	}
	if len(ops) == 0 {
		return "nothing to undo"
	}
	return ops[0].String()
}

// PlanDocument is the JSON form of a plan. Its field names are stable.
type PlanDocument struct {
	Plan     plan.Plan `json:"plan"`
	Digest   string    `json:"digest"`
	Findings []Finding `json:"findings"` // never null
	// Then is the plan of the rollout that follows when this one has succeeded; left out where none does.
	Then *PlanDocument `json:"then,omitempty"`
}

// NewPlanDocument is the JSON form of a plan and what the checks found.
func NewPlanDocument(p plan.Plan, findings ...Finding) PlanDocument {
	return PlanDocument{Plan: p, Digest: p.Digest(), Findings: append([]Finding{}, findings...)}
}

// PlanJSON writes a plan as a PlanDocument.
func PlanJSON(w io.Writer, p plan.Plan, findings ...Finding) error {
	return PlanDocumentJSON(w, NewPlanDocument(p, findings...))
}

// PlanDocumentJSON writes a plan with what follows it.
func PlanDocumentJSON(w io.Writer, d PlanDocument) error { return writeJSON(w, d) }

// writeJSON writes a document with indentation, for people who read JSON, too.
func writeJSON(w io.Writer, document any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(document)
}
