package described

import (
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/plan"
)

func TestNotAccepted(t *testing.T) {
	const parents = "spec: {parentRefs: [{name: g}]}, "
	for _, tc := range []struct{ router, status, want string }{
		{"alb", "{}", ""},
		{"smi", "{}", ""},
		{"contour", "{}", "not accepted at generation 3"},
		{"contour", "{currentStatus: valid, conditions: [{type: Valid, status: 'True', observedGeneration: 2}]}", "not accepted"},
		{"contour", "{currentStatus: invalid, conditions: [{type: Valid, status: 'False', observedGeneration: 3}]}", "invalid"},
		{"contour", "{currentStatus: valid, conditions: [{type: Valid, status: 'True', observedGeneration: 3}]}", ""},
		{"apisix", "{conditions: [{type: Accepted, status: 'True', observedGeneration: 3}]}", ""},
		{"apisix", "{conditions: [{type: ResourcesAvailable, status: 'True', observedGeneration: 3}]}", ""},
		{"apisix", "{conditions: [{type: Accepted, status: 'False', observedGeneration: 3, reason: SyncFailed}]}", "SyncFailed"},
		{"kong", "{parents: []}", "not accepted"},
		{"kong", "{parents: [{conditions: [{type: Accepted, status: 'True', observedGeneration: 3}]}]}", "not accepted"},
		{"kong", "{parents: [{conditions: [{type: Accepted, status: 'True', observedGeneration: 3}, {type: ResolvedRefs, status: 'True', observedGeneration: 3}]}]}", ""},
		{"kong", "{parents: [{conditions: [{type: Accepted, status: 'True', observedGeneration: 2}, {type: ResolvedRefs, status: 'True', observedGeneration: 3}]}]}", "not accepted"},
		{"linkerd", "{parents: [{conditions: [{type: Accepted, status: 'True'}, {type: ResolvedRefs, status: 'True'}]}]}", ""},
		{"linkerd", "{parents: [{conditions: [{type: Accepted, status: 'True'}, {type: ResolvedRefs, status: 'False', reason: BackendNotFound}]}]}", "BackendNotFound"},
		{"linkerd", "{}", "not accepted"},
		{"custom-fields", "{weight: 1}", "not accepted"},
	} {
		t.Run(tc.router+" "+tc.status, func(t *testing.T) {
			k := kindOf(t, objects()[tc.router])
			o := parse(t, "{metadata: {generation: 3}, "+parents+"status: "+tc.status+"}")
			if tc.router == "custom-fields" {
				o = parse(t, "{metadata: {generation: 3}, spec: {weights: {canary: 5}}, status: "+tc.status+"}")
			}
			if got := k.NotAccepted(o.Object); (got == "") != (tc.want == "") || !strings.Contains(got, tc.want) {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}

// TestAcceptedThatFails: an expression that cannot be told is not true, and says so.
func TestAcceptedThatFails(t *testing.T) {
	for _, code := range []string{"status.missing.ready == true", "status.ready", "1 +"} {
		k := Kind{name: Custom}
		k.description.Accepted = code
		if got := k.NotAccepted(parse(t, "{status: {ready: 'yes'}}").Object); !strings.Contains(got, "cannot be told") {
			t.Errorf("%s: %q", code, got)
		}
	}
}

func TestProblems(t *testing.T) {
	for _, tc := range []struct {
		name, from, to, want string
	}{
		{"contour-recorded", "", "", "can to one only"},
		{"alb", "", "", ""},
		{"alb", `"type": "forward"`, `"type": "forward", "unknown": 1`, ""},
		{"alb", `"targetGroups"`, `"targetGroupStickinessConfig": {"enabled": true}, "targetGroups"`, "keeps a user"},
		{"alb", `"targetGroups"`, `"targetGroupStickinessConfig": {"enabled": false}, "targetGroups"`, ""},
		{"alb", "use-annotation", "http", "no path sends to the action"},
		{"alb-shared", "", "", ""},
		{"contour", "", "", ""},
		{"apisix", "", "", ""},
		{"apisix", "backends:", "upstreams: [{name: x}]\n    backends:", "upstreams"},
		{"linkerd", "", "", ""},
		{"linkerd", "kind: Service, name: checkout, port", "kind: Server, name: checkout, port", "no parent"},
		{"custom-fields", "canary: 0", "canary: 5", "before there is a candidate"},
	} {
		t.Run(tc.name+" "+tc.to, func(t *testing.T) {
			text := source(t, tc.name)
			if tc.from != "" && !strings.Contains(text, tc.from) {
				t.Fatalf("%s has no %s", tc.name, tc.from)
			}
			o := parse(t, strings.Replace(text, tc.from, tc.to, 1)).Object
			problems := kindOf(t, objects()[tc.name]).Problems([]plan.Object{o}, nil, shop, plan.Baseline{}, plan.Split{Mirror: plan.OnePercent})
			if (len(problems) == 0) != (tc.want == "") || len(problems) > 1 {
				t.Fatalf("problems %v, want %q", problems, tc.want)
			}
			if len(problems) == 1 && (!strings.Contains(problems[0].Text, tc.want) || problems[0].Remedy == "" || strings.Contains(problems[0].Text, "cannot be told")) {
				t.Errorf("%v, want %q", problems[0], tc.want)
			}
		})
	}
}

// TestProblemsOfMirrors: who asks for no copy is not told of what stands in its way.
func TestProblemsOfMirrors(t *testing.T) {
	o := load(t, "contour-recorded").Object
	if problems := kindOf(t, objects()["contour"]).Problems([]plan.Object{o}, nil, shop, plan.Baseline{}, plan.Split{Weight: plan.All}); len(problems) > 0 {
		t.Errorf("%v", problems)
	}
}
