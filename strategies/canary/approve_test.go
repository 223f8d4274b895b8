package canary_test

import (
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/strategies/canary"
)

// TestApprovals: an approval stands where the spec has it, changes nothing, and its gates are those of the share that
// stands meanwhile.
func TestApprovals(t *testing.T) {
	const ask = "{approve: {message: Go}}"
	for _, tc := range []struct{ name, steps, want string }{
		{"before the first share", ask + ", 10%", "candidate approve:kubernetes shift-10 full confirm roll-base return clean-up"},
		{"between", "10%, " + ask + ", 50%", "candidate shift-10 approve:kubernetes,errors! shift-50 full confirm roll-base return clean-up"},
		{"two in a row", "10%, " + ask + ", " + ask, "candidate shift-10 approve:kubernetes,errors! approve-2:kubernetes,errors! full confirm roll-base return clean-up"},
		{"at full share", "100%, " + ask, "candidate full approve:kubernetes,errors,smoke! confirm roll-base return clean-up"},
		{"alone", ask, "candidate approve:kubernetes full confirm roll-base return clean-up"},
		{"allowed alone", "10%, {approve: {message: Go, unattended: true}, name: go}", "candidate shift-10 go:kubernetes,errors full confirm roll-base return clean-up"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, err := canary.Strategy{}.Compile(input(t, "{steps: ["+tc.steps+"], hold: 1m}"))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i, s := range p.Steps {
				text := s.ID
				if s.Approve != nil {
					text += ":" + strings.Join(s.Gates, ",")
					if s.Approve.Attended {
						text += "!"
					}
					if len(s.Do)+len(s.Undo) > 0 || s.Hold != 0 || s.Weight != p.Steps[i-1].Weight || s.Whole != plan.Base {
						t.Errorf("step %s does more than wait: %+v", s.ID, s)
					}
				}
				got = append(got, text)
			}
			if strings.Join(got, " ") != tc.want {
				t.Errorf("steps are\n%s, want\n%s", strings.Join(got, " "), tc.want)
			}
		})
	}
}

// TestTemplate: a rollback brings a whole pod template, told apart by the labels of the candidate only.
func TestTemplate(t *testing.T) {
	in := input(t, "{steps: [100%]}")
	old := plan.Object{"metadata": map[string]any{"labels": map[string]any{"app": "checkout", "old": "yes"}}, "spec": map[string]any{
		"containers": []any{map[string]any{"name": "app", "image": "registry/checkout:v0", "env": []any{map[string]any{"name": "A", "value": "b"}}}}}}
	in.Template, in.Restores, in.Images = old, "one", map[string]string{"app": "registry/checkout:v0"}
	p, err := canary.Strategy{}.Compile(in)
	if err != nil {
		t.Fatal(err)
	}
	if plan.Digest(p.Objects.Templates[plan.Candidate]) != plan.Digest(old) || p.Target.Restores != "one" {
		t.Errorf("the plan brings %v of %q", p.Objects.Templates[plan.Candidate], p.Target.Restores)
	}
	if p.Target.Images["app"] != "registry/checkout:v0" || p.Target.From["app"] == "" {
		t.Errorf("the target is %+v", p.Target)
	}
	in.Template["spec"].(map[string]any)["containers"] = nil
	if len(p.Objects.Templates[plan.Candidate]["spec"].(map[string]any)["containers"].([]any)) != 1 {
		t.Error("the plan shares the template with its input")
	}
}
