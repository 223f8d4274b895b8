package described

import (
	"fmt"
	"strings"

	"github.com/expr-lang/expr"

	"github.com/tidegate/tidegate/internal/fieldpath"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/internal/traffic"
)

// longest is how much of a status is worth reading in a line.
const longest = 300

// NotAccepted implements traffic.Acceptance. An expression that fails is not true.
func (k Kind) NotAccepted(o plan.Object) string {
	code := k.description.Accepted
	if code == "" {
		return "" // there is no status: the guard has to do
	}
	is, err := holds(code, o)
	switch {
	case err != nil:
		return fmt.Sprintf("whether it is accepted cannot be told: %v", err)
	case is:
		return ""
	}
	text, err := encode(o["status"])
	if err != nil {
		text = err.Error()
	}
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "..."
	}
	return fmt.Sprintf("it is not accepted at generation %v: its status is %s", generation(o), text)
}

func generation(o plan.Object) any {
	meta, _ := o["metadata"].(map[string]any)
	return meta["generation"]
}

// holds runs an expression over an object.
func holds(code string, o plan.Object) (bool, error) {
	program, err := spec.CompileAccepted(code)
	if err != nil {
		return false, err
	}
	result, err := expr.Run(program, spec.AcceptedEnv(o))
	if err != nil {
		return false, err
	}
	is, ok := result.(bool)
	if !ok {
		return false, fmt.Errorf("%s is %v, neither true nor false", code, result)
	}
	return is, nil
}

// Problems implements traffic.Checker: what the description knows, and a weight that the candidate has before the rollout.
func (k Kind) Problems(routes, _ []plan.Object, t plan.Traffic, _ plan.Baseline, most plan.Split) []traffic.Problem {
	var all []traffic.Problem
	for _, o := range routes {
		for _, p := range k.description.Problems {
			if most.Mirror > 0 || !p.Mirror {
				all = append(all, k.problem(p, o, t)...)
			}
		}
		if share := k.Share(o, t); share > 0 {
			all = append(all, traffic.Problem{Object: plan.RefOf(o), Text: fmt.Sprintf("it sends %s to the candidate's side before there is a candidate", share),
				Remedy: "Give that side the weight 0, or take it out"})
		}
		if k.rings(o, t) {
			all = append(all, traffic.Problem{Object: plan.RefOf(o), Text: fmt.Sprintf("a rule at %s sends to the candidate before there is a candidate", k.description.Matches.Path),
				Remedy: "Take that rule out: Tidegate would take it for one of its own"})
		}
	}
	return all
}

// problem is a problem of the description if an object has it. Where that cannot be told, a person is asked to look.
func (k Kind) problem(p Problem, o plan.Object, t plan.Traffic) []traffic.Problem {
	values := k.description.values(t, plan.RefOf(o).Name)
	found := traffic.Problem{Object: plan.RefOf(o), Remedy: p.Remedy, Warning: p.Warning}
	code, err := fieldpath.Expand(p.When, values)
	if err == nil {
		found.Text, err = fieldpath.Expand(p.Text, values)
	}
	is := false
	if err == nil {
		is, err = holds(code, o)
	}
	if err != nil {
		found.Text, found.Warning = fmt.Sprintf("whether %s cannot be told: %v", p.Text, err), true
	}
	if is || err != nil {
		return []traffic.Problem{found}
	}
	return nil
}
