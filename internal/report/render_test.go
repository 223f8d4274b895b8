package report_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/report/story"
)

func findings() []report.Finding {
	return []report.Finding{
		{Name: "stickiness", Level: report.Warning, Object: "HTTPRoute/checkout", Message: "the route keeps sessions (sessionPersistence): they outlive weight 0",
			Remedy: "Expect requests of old sessions on the candidate for up to an hour after an undo."},
		{Name: "quota", Level: report.Error, Object: "ResourceQuota/shop", Message: "double size needs 8 CPU, 5 are left", Remedy: "Raise the quota, or set settle: inPlace."},
		{Name: "vpa", Level: report.Error, Object: "VerticalPodAutoscaler/checkout", Message: "it may evict pods of the base during the rollout", Accepted: true},
		{Name: "probe", Level: report.Info, Message: "readiness is probed every 2s"},
	}
}

func TestPlan(t *testing.T) {
	several := story.Canary()
	several.Target.Images["proxy"] = "registry.example.com/infra/envoy:1.31.0"
	several.Target.From["proxy"] = "registry.example.com/infra/envoy:1.30.4"
	several.Notes = nil
	tests := []struct {
		name     string
		plan     plan.Plan
		findings []report.Finding
	}{
		{"plan", story.Canary(), nil},
		{"plan-findings", story.Canary(), findings()},
		{"plan-several", several, nil},
		{"plan-approvals", story.Approvals(), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var text, doc bytes.Buffer
			if err := report.Plan(&text, tt.plan, tt.findings...); err != nil {
				t.Fatal(err)
			}
			golden(t, tt.name+".txt", text.String())
			if err := report.PlanJSON(&doc, tt.plan, tt.findings...); err != nil {
				t.Fatal(err)
			}
			golden(t, tt.name+".json", doc.String())
			var back report.PlanDocument
			if err := json.Unmarshal(doc.Bytes(), &back); err != nil || back.Plan.Digest() != tt.plan.Digest() || back.Digest != tt.plan.Digest() {
				t.Errorf("the plan does not survive: %v", err)
			}
		})
	}
}

// facts of a rollout that somebody carries.
func facts(s *story.Story, alive bool, split plan.Share) report.Facts {
	f := report.Facts{Alive: &alive, Split: &split, Pods: []report.Pods{{Side: plan.Base, Ready: 4, Want: 4}, {Side: plan.Candidate, Ready: 1, Want: 1}}}
	if alive {
		f.Holder, f.Since = s.Record.Rollout.Holder, s.Record.Rollout.Started
	}
	return f
}

func TestStatus(t *testing.T) {
	quarter := 25 * plan.OnePercent
	base := []report.Pods{{Side: plan.Base, Ready: 4, Want: 4}}
	no := false
	tests := []struct {
		name  string
		story *story.Story
		facts func(*story.Story) report.Facts
	}{
		{"none", nil, func(*story.Story) report.Facts { return report.Facts{Pods: base} }},
		{"running", story.During(2, 80*time.Second), func(s *story.Story) report.Facts { return facts(s, true, quarter) }},
		{"orphan", story.During(2, 80*time.Second), func(s *story.Story) report.Facts { return facts(s, false, quarter) }},
		{"by-hand", story.During(2, 80*time.Second), func(s *story.Story) report.Facts { return facts(s, true, 10*plan.OnePercent) }},
		{"unread", story.During(2, 80*time.Second), func(*story.Story) report.Facts {
			return report.Facts{Problems: []string{"the route could not be read: httproutes.gateway.networking.k8s.io is forbidden"}}
		}},
		{"paused", story.Waiting(), func(s *story.Story) report.Facts { return facts(s, true, quarter) }},
		{"undoing", story.Turned().Back(1, time.Second), func(s *story.Story) report.Facts { return facts(s, true, 0) }},
		{"stuck", story.Stuck(), func(s *story.Story) report.Facts { return facts(s, false, 0) }},
		{"rolled-back", story.Bad(), func(*story.Story) report.Facts { return report.Facts{Alive: &no, Pods: base} }},
		{"waiting", story.Asked().Wait(2 * time.Hour), func(s *story.Story) report.Facts { return facts(s, false, quarter) }},
		{"waiting-late", story.Asked().Wait(25 * time.Hour), func(s *story.Story) report.Facts { return facts(s, false, quarter) }},
		{"waiting-attended", story.Asked().Wait(2 * time.Hour), func(s *story.Story) report.Facts { return facts(s, true, quarter) }},
		{"detached", story.Left().Wait(2 * time.Hour), func(s *story.Story) report.Facts { return facts(s, false, quarter) }},
		{"detached-over", story.Left().Wait(13 * time.Hour), func(s *story.Story) report.Facts { return facts(s, false, quarter) }},
		{"detached-watched", story.Left().Wait(2 * time.Hour), func(s *story.Story) report.Facts { return facts(s, true, quarter) }},
		{"answered", story.Answered(), func(*story.Story) report.Facts { return report.Facts{Alive: &no, Pods: base} }},
		{"succeeded", story.Good(), func(*story.Story) report.Facts { return report.Facts{Alive: &no, Pods: base} }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := report.StatusView{Name: "checkout", Namespace: "shop", Workload: "Deployment/checkout", Facts: tt.facts(tt.story)}
			if tt.story != nil {
				v.Record, v.Now = &tt.story.Record, tt.story.Now().Add(3*time.Second)
			}
			var text, doc bytes.Buffer
			if err := report.Status(&text, v); err != nil {
				t.Fatal(err)
			}
			golden(t, "status-"+tt.name+".txt", text.String())
			if err := report.StatusJSON(&doc, v); err != nil {
				t.Fatal(err)
			}
			golden(t, "status-"+tt.name+".json", doc.String())
		})
	}
}
