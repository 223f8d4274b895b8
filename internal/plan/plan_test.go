package plan_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/plan"
)

func TestShare(t *testing.T) {
	for text, want := range map[string]plan.Share{"0%": 0, "5%": 5000, "12.5%": 12500, "0.1%": 100, "33.333%": 33333, "100%": plan.All} {
		var got plan.Share
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want || got.String() != text {
			t.Errorf("%s is %d, which is %s (%v)", text, got, got, err)
		}
	}
	if err := new(plan.Share).UnmarshalText([]byte("many")); err == nil {
		t.Error("no error")
	}
	for _, tc := range []struct {
		share plan.Share
		of    int
		want  int
	}{{0, 3, 0}, {plan.OnePercent, 3, 1}, {34 * plan.OnePercent, 3, 2}, {50 * plan.OnePercent, 4, 2}, {plan.All, 7, 7}, {plan.All, 0, 0}} {
		if got := tc.share.Of(tc.of); got != tc.want {
			t.Errorf("%s of %d is %d", tc.share, tc.of, got)
		}
	}
}

func TestPodsFor(t *testing.T) {
	for _, tc := range []struct {
		op   plan.Op
		want int
	}{
		{plan.Op{Weight: 10 * plan.OnePercent}, 1}, {plan.Op{Weight: 50 * plan.OnePercent}, 5}, {plan.Op{Weight: 10 * plan.OnePercent, MinPods: 3}, 3},
		{plan.Op{Weight: plan.All, MinPods: 3}, 10}, {plan.Op{Weight: 50 * plan.OnePercent, Pods: 2, MinPods: 3}, 2}, {plan.Op{}, 1},
	} {
		if got := tc.op.PodsFor(10); got != tc.want {
			t.Errorf("%+v needs %d pods", tc.op, got)
		}
	}
}

// TestUndoFrom: backwards; a split that stands already, and the wait after it, are not repeated.
func TestUndoFrom(t *testing.T) {
	back, wait := plan.Op{Kind: plan.SetSplit}, plan.Op{Kind: plan.Wait, For: plan.Duration(time.Second)}
	all, roll := plan.Op{Kind: plan.SetSplit, Weight: plan.All}, plan.Op{Kind: plan.RollBase, Version: plan.Base}
	p := plan.Plan{Steps: []plan.Step{
		{ID: "0", Undo: []plan.Op{{Kind: plan.RemoveCandidate}}}, {ID: "1", Undo: []plan.Op{back, wait}}, {ID: "2", Undo: []plan.Op{back, wait}},
		{ID: "3"}, {ID: "4", Undo: []plan.Op{roll}}, {ID: "5", Undo: []plan.Op{all, wait}},
	}}
	for i, want := range []string{"remove-candidate", "split 0% wait remove-candidate", "split 0% wait remove-candidate", "split 0% wait remove-candidate",
		"roll-base split 0% wait remove-candidate", "split 100% wait roll-base split 0% wait remove-candidate"} {
		var got []string
		for _, op := range p.UndoFrom(i) {
			got = append(got, string(op.Kind))
			if op.Kind == plan.SetSplit {
				got = append(got, op.Weight.String())
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("from %d: %v, want %s", i, got, want)
		}
	}
	if p.Index("2") != 2 || p.Index("x") != -1 {
		t.Error("index")
	}
}

// TestStored: a plan survives being stored, digest and all.
func TestStored(t *testing.T) {
	p := plan.Plan{Steps: []plan.Step{{ID: "a", Hold: plan.Duration(90 * time.Second), Weight: 12500,
		Do: []plan.Op{{Kind: plan.Wait, For: plan.Duration(2 * time.Second)}}}}}
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var back plan.Plan
	if err := json.Unmarshal(data, &back); err != nil || back.Digest() != p.Digest() {
		t.Errorf("%v: %s", err, data)
	}
	for _, want := range []string{`"hold":"1m30s"`, `"weight":"12.5%"`, `"for":"2s"`} {
		if !strings.Contains(string(data), want) {
			t.Errorf("%s is missing in %s", want, data)
		}
	}
	back.Steps[0].Hold++
	if back.Digest() == p.Digest() || p.Length() != 92*time.Second {
		t.Errorf("digest or length (%v)", p.Length())
	}
	if err := json.Unmarshal([]byte(`{"steps":[{"hold":"soon"}]}`), &back); err == nil {
		t.Error("no error")
	}
}

func TestRefs(t *testing.T) {
	o := plan.Object{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": "shop", "namespace": "prod"}}
	ref := plan.RefOf(o)
	if fmt.Sprint(ref) != "Deployment/shop" || ref.Namespace != "prod" || plan.RefOf(plan.Object{}) != (plan.Ref{}) {
		t.Errorf("%+v", ref)
	}
	objects := plan.Objects{Originals: []plan.Object{o}}
	if _, ok := objects.CandidateRef(); ok {
		t.Error("a candidate of nothing")
	}
	objects.Create = []plan.Object{o}
	if got, ok := objects.CandidateRef(); !ok || got != ref {
		t.Errorf("%+v", got)
	}
	if _, ok := objects.Original(ref); !ok {
		t.Error("the original is not found")
	}
	ref.Name = "cart"
	if _, ok := objects.Original(ref); ok {
		t.Error("another's original is found")
	}
}

// TestOpsInWords: every op is told in words, none by its code name.
func TestOpsInWords(t *testing.T) {
	for _, kind := range []plan.Kind{plan.EnsureCandidate, plan.ScaleCandidate, plan.SetSplit, plan.HoldScaler, plan.ReleaseScaler, plan.RollBase,
		plan.ReleaseBase, plan.RemoveCandidate, plan.Roll, plan.RollPods, plan.OpenPreview, plan.ClosePreview, plan.MarkBase, plan.ScaleBase} {
		if text := (plan.Op{Kind: kind, Weight: plan.OnePercent}).String(); len(strings.Fields(text)) < 3 {
			t.Errorf("%s is told as %q", kind, text)
		}
	}
	for _, kind := range []plan.Kind{plan.SetSplit, plan.RollBase} {
		if text := (plan.Op{Kind: kind, Selector: true, Version: plan.Base}).String(); strings.Contains(text, "route") ||
			text == (plan.Op{Kind: kind, Selector: true, Version: plan.Candidate, Weight: plan.All}).String() {
			t.Errorf("without a route %s is told as %q", kind, text)
		}
	}
	if (plan.Op{Kind: plan.SetSplit}).String() == (plan.Op{Kind: plan.SetSplit, Weight: 1}).String() ||
		(plan.Op{Kind: plan.RollBase, Version: plan.Base}).String() == (plan.Op{Kind: plan.RollBase, Version: plan.Candidate}).String() ||
		(plan.Op{Kind: plan.RollBase, Serving: true}).String() == (plan.Op{Kind: plan.RollBase}).String() ||
		(plan.Op{Kind: plan.ScaleBase, Pods: 2, Version: plan.Base}).String() == (plan.Op{Kind: plan.ScaleBase, Pods: 2, Version: plan.Candidate}).String() ||
		(plan.Op{Kind: plan.Roll, Version: plan.Base}).String() == (plan.Op{Kind: plan.Roll, Version: plan.Candidate}).String() {
		t.Error("there and back are told alike")
	}
}

// TestPodSelector: where one selector matches both sides, the base's leaves out what has the candidate's label.
func TestPodSelector(t *testing.T) {
	objects := plan.Objects{Selectors: map[plan.Side]map[string]string{
		plan.Base: {"tier": "web", "app": "shop"}, plan.Candidate: {"app": "shop", "track": "candidate"}}}
	if got := objects.PodSelector(plan.Base); got != "app=shop,tier=web" || objects.ByReplicas() {
		t.Errorf("the base's pods are %q", got)
	}
	objects.Apart = "track"
	if got := objects.PodSelector(plan.Base); got != "app=shop,tier=web,!track" || !objects.ByReplicas() {
		t.Errorf("the base's pods are %q", got)
	}
	if got := objects.PodSelector(plan.Candidate); got != "app=shop,track=candidate" {
		t.Errorf("the candidate's pods are %q", got)
	}
}
