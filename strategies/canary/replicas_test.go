package canary_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/strategies"
	"github.com/tidegate/tidegate/strategies/canary"
)

// replicas is the input of a canary without a route, of a workload of size pods.
func replicas(t *testing.T, strategy string, size int) strategies.Input {
	t.Helper()
	in := input(t, strategy)
	in.Deploy.Spec.Traffic, in.Baseline.Routes, in.Baseline.Size = nil, nil, size
	in.Baseline.Workload["spec"].(map[string]any)["replicas"] = int64(size)
	return in
}

func compile(t *testing.T, in strategies.Input) plan.Plan {
	t.Helper()
	p, err := canary.Strategy{}.Compile(in)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestGoldenReplicas(t *testing.T) {
	for _, tc := range []struct {
		name, strategy string
		size           int
		scaled         bool
	}{
		{"canary-replicas", "{steps: [10%, 50%], hold: 5m, bake: 10m}", 4, false},
		{"canary-replicas-one", "{steps: [10%, 50%], hold: 5m}", 1, false},
		{"canary-replicas-scaled", "{steps: [{weight: 25%, name: first, pods: 2}, 75%], hold: 1m, minPods: 2}", 4, true},
		{"canary-replicas-approvals", "{steps: [{approve: {message: Ready}}, 25%, {approve: {message: A quarter, unattended: true}}, 100%, {approve: {message: All of it}}], hold: 5m}", 4, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := replicas(t, tc.strategy, tc.size)
			if tc.scaled {
				in.Baseline.Scaler = scaler()
			}
			got, err := json.MarshalIndent(compile(t, in), "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join(testdata, "plans", tc.name+".json"), string(got)+"\n")
		})
	}
}

// TestPodsOfTheShares: the candidate's pods are rounded up and never get fewer, the base keeps one until the candidate has
// everything, and together they are never fewer than there were.
func TestPodsOfTheShares(t *testing.T) {
	for _, tc := range []struct {
		name, strategy string
		size           int
		want           string // of the candidate and of the base
	}{
		{"of ten", "{steps: [10%, 25%, 50%]}", 10, "1+9 3+7 5+5 10+0"},
		{"of four", "{steps: [10%, 50%]}", 4, "1+3 2+2 4+0"},
		{"of one", "{steps: [10%, 50%]}", 1, "1+1 1+1 1+0"},
		{"of three", "{steps: [90%]}", 3, "3+1 3+0"},
		{"everything", "{steps: [100%]}", 3, "3+0"},
		{"fewest", "{steps: [10%], minPods: 3}", 4, "3+1 4+0"},
		{"more than the base", "{steps: [10%], minPods: 6}", 4, "6+1 6+0"},
		{"its own number, which does not fall", "{steps: [{weight: 10%, pods: 3}, 50%]}", 4, "3+1 3+1 4+0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := compile(t, replicas(t, tc.strategy, tc.size))
			var got []string
			fresh, old := 0, tc.size
			for _, s := range p.Steps[:p.Index("roll-base")] {
				for _, op := range s.Do {
					switch op.Kind {
					case plan.EnsureCandidate, plan.ScaleCandidate:
						fresh = op.Pods
					case plan.ScaleBase:
						if op.From != old || !op.Strict {
							t.Errorf("%s takes the base from %d pods, not from %d", s.ID, op.From, old)
						}
						old = op.Pods
						got = append(got, fmt.Sprintf("%d+%d", fresh, old))
					}
					if fresh+old < tc.size {
						t.Errorf("%s: %d + %d pods are fewer than %d", s.ID, fresh, old, tc.size)
					}
				}
				if want := plan.Share(fresh * int(plan.All) / (fresh + old)); s.Weight != want {
					t.Errorf("%s tells of %s, its pods are %s", s.ID, s.Weight, want)
				}
			}
			if strings.Join(got, " ") != tc.want {
				t.Errorf("pods are %v, want %s", got, tc.want)
			}
		})
	}
}

// TestReplicasGoBack: from everywhere the base has its size, and its old template, before the candidate goes, and the
// autoscaler is free last.
func TestReplicasGoBack(t *testing.T) {
	in := replicas(t, "{steps: [25%, 50%]}", 4)
	in.Baseline.Scaler = scaler()
	p := compile(t, in)
	for i, step := range p.Steps {
		ops := p.UndoFrom(i)
		whole := slices.IndexFunc(ops, func(op plan.Op) bool {
			return op.Kind == plan.ScaleBase && op.Pods == 4 && op.Version == plan.Base
		})
		gone := slices.IndexFunc(ops, func(op plan.Op) bool { return op.Kind == plan.RemoveCandidate })
		if whole < 0 || gone < whole || ops[len(ops)-1].Kind != plan.ReleaseScaler || ops[len(ops)-2].Kind != plan.ReleaseBase {
			t.Errorf("the way back from %s is %v", step.ID, ops)
		}
		away := slices.IndexFunc(ops, func(op plan.Op) bool { return op.Kind == plan.ScaleBase && op.Pods == 0 })
		full := slices.IndexFunc(ops, func(op plan.Op) bool { return op.Kind == plan.EnsureCandidate && op.Pods == 4 })
		if late := i >= p.Index("roll-base"); late != (away >= 0) || late && (full < 0 || full > away || away > whole) {
			t.Errorf("the way back from %s is %v", step.ID, ops)
		}
	}
}

// TestReplicasHoldTheScaler: it is pinned at the base's number of pods before that changes, and never at 0.
func TestReplicasHoldTheScaler(t *testing.T) {
	in := replicas(t, "{steps: [25%, 50%]}", 4)
	in.Baseline.Scaler = scaler()
	held := 0
	for _, s := range compile(t, in).Steps {
		for _, op := range s.Do {
			switch op.Kind {
			case plan.HoldScaler:
				if held = op.Pods; held == 0 {
					t.Errorf("%s holds the autoscaler at 0 pods", s.ID)
				}
			case plan.EnsureCandidate, plan.ScaleBase:
				if op.Kind == plan.EnsureCandidate && held != 4 || op.Kind == plan.ScaleBase && op.Pods > 0 && held != op.Pods {
					t.Errorf("%s: %q with the autoscaler at %d", s.ID, op, held)
				}
			}
		}
	}
}

// TestAlongsideIsBehindTheSameService: the candidate's pods have every label of the base's, and the one more.
func TestAlongsideIsBehindTheSameService(t *testing.T) {
	p := compile(t, replicas(t, "{steps: [25%]}", 4))
	if len(p.Objects.Create) != 1 || !p.Objects.ByReplicas() || p.Objects.InPlace() || p.Objects.Traffic != nil || p.Target.Service != "checkout" {
		t.Errorf("made are %v", p.Objects.Create)
	}
	d := p.Objects.Create[0]["spec"].(map[string]any)
	pods := fmt.Sprint(d["template"].(map[string]any)["metadata"])
	selector := fmt.Sprint(d["selector"])
	if pods != "map[labels:map[app:checkout color:blue tidegate.dev/track:candidate tier:web]]" ||
		selector != "map[matchLabels:map[app:checkout tidegate.dev/track:candidate tier:web]]" || !strategies.Tracked(p.Objects.Create[0]) {
		t.Errorf("pods %s, selector %s", pods, selector)
	}
	if next := fmt.Sprint(p.Objects.Templates[plan.Candidate]); strings.Contains(next, strategies.TrackLabel) {
		t.Errorf("the base gets %s", next)
	}
}

func TestReplicasRefuse(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*strategies.Input)
		want   string
	}{
		{"no pods", func(in *strategies.Input) { in.Baseline.Size = 0 }, "the workload runs none"},
		{"unknown container", func(in *strategies.Input) { in.Images = map[string]string{"web": "x"} }, "it has app"},
		{"KEDA", func(in *strategies.Input) { in.Baseline.Scaler = keda(nil) }, "autoscaling.keda.sh/paused"},
		{"KEDA, not paused", func(in *strategies.Input) {
			in.Baseline.Scaler = keda(map[string]any{"autoscaling.keda.sh/paused": "false"})
		}, "KEDA would start them again"},
		{"our label in the template", func(in *strategies.Input) {
			labels(in.Baseline.Workload, "spec", "template", "metadata", "labels")[strategies.TrackLabel] = "x"
		}, "take it out of the template"},
		{"our label in the selector", func(in *strategies.Input) {
			labels(in.Baseline.Workload, "spec", "selector", "matchLabels")[strategies.TrackLabel] = "x"
		}, "make the Deployment anew"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := replicas(t, "{steps: [10%]}", 4)
			tc.change(&in)
			if _, err := (canary.Strategy{}).Compile(in); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
		})
	}
	in := replicas(t, "{steps: [10%]}", 4)
	in.Baseline.Scaler = keda(map[string]any{"autoscaling.keda.sh/paused": "true"})
	compile(t, in) // paused it starts nothing
}

func keda(annotations map[string]any) plan.Object {
	return plan.Object{"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject",
		"metadata": map[string]any{"name": "checkout", "namespace": "shop", "annotations": annotations}, "spec": map[string]any{}}
}

func labels(o plan.Object, path ...string) map[string]any {
	for _, p := range path {
		o = o[p].(map[string]any)
	}
	return o
}

// TestReplicasNotes: what users may feel, what it costs, and where the share is not the one asked for.
func TestReplicasNotes(t *testing.T) {
	for _, tc := range []struct {
		name, strategy string
		size           int
		change         func(*strategies.Input)
		want           string
	}{
		{"a share that cannot be", "{steps: [10%]}", 1, nil, "10% is 1 of 2 pods, which is 50%"},
		{"pods stop", "{steps: [25%]}", 4, nil, "a service that exits at once on SIGTERM loses some"},
		{"room", "{steps: [25%, 50%]}", 4, nil, "run 6 at most, and there are 4 + 4"},
		{"an autoscaler", "{steps: [25%]}", 4, func(in *strategies.Input) { in.Baseline.Scaler = scaler() }, "HorizontalPodAutoscaler/checkout is held"},
		{"a gate at candidate-ready", "{steps: [25%]}", 4, nil, "as soon as they are ready: what is asked at candidate-ready"},
		{"nobody asks", "{steps: [25%]}", 4, func(in *strategies.Input) { in.Deploy.Spec.Gates = nil }, "Only the pods are watched"},
		{"an approval", "{steps: [{approve: {message: Ready}}, 25%]}", 4, nil, "its pods do not run yet"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := replicas(t, tc.strategy, tc.size)
			if tc.change != nil {
				tc.change(&in)
			}
			if notes := strings.Join(compile(t, in).Notes, "\n"); !strings.Contains(notes, tc.want) {
				t.Errorf("notes:\n%s\nwant %q", notes, tc.want)
			}
		})
	}
	exact := compile(t, replicas(t, "{steps: [25%, 50%]}", 4))
	if notes := strings.Join(exact.Notes, "\n"); strings.Contains(notes, "cannot be divided") {
		t.Errorf("notes:\n%s", notes)
	}
}

// TestInPlaceNeverGrows: with settle: inPlace no op asks for a full set of the candidate's pods, there or back, and the base
// is rolled back before the requests return to it.
func TestInPlaceNeverGrows(t *testing.T) {
	in := input(t, "{steps: [10%, 50%], hold: 1m, bake: 10m, settle: inPlace}")
	p := compile(t, in)
	for i, step := range p.Steps {
		back := p.UndoFrom(i)
		for _, op := range slices.Concat(step.Do, back) {
			if op.Weight > 50*plan.OnePercent || op.PodsFor(4) > 2 && op.Kind != plan.SetSplit {
				t.Errorf("%s: %q", step.ID, op)
			}
		}
		if i >= p.Index("roll-base") && (back[0].Kind != plan.RollBase || back[0].Version != plan.Base || !back[0].Serving) {
			t.Errorf("the way back from %s begins with %q", step.ID, back[0])
		}
		if step.ID == "full" || step.ID == "shift-50" && step.Ahead != nil {
			t.Errorf("%+v", step)
		}
	}
	half := p.Steps[p.Index("shift-50")]
	if time.Duration(half.Hold) != 10*time.Minute || !slices.Contains(half.Gates, "smoke") {
		t.Errorf("the last share holds for %s and is watched by %v", time.Duration(half.Hold), half.Gates)
	}
	if confirm := p.Steps[p.Index("confirm")]; confirm.Weight != 50*plan.OnePercent {
		t.Errorf("confirm is at %s", confirm.Weight)
	}
	if notes := strings.Join(p.Notes, "\n"); !strings.Contains(notes, "room for 6 is enough") || !strings.Contains(notes, "under 50% of the requests") {
		t.Errorf("notes:\n%s", notes)
	}
}

// TestReplicasAsked: a gate is asked at the share as it was written, whatever the pods come to.
func TestReplicasAsked(t *testing.T) {
	in := replicas(t, "{steps: [10%, 50%]}", 1)
	in.Deploy.Spec.Gates[1].At = []string{"50%"}
	p := compile(t, in)
	for _, s := range p.Steps {
		if asked := slices.Contains(s.Gates, "smoke"); asked != (s.ID == "shift-50") {
			t.Errorf("step %s is watched by %v", s.ID, s.Gates)
		}
	}
	if !slices.Contains(p.Steps[0].Gates, "errors") {
		t.Errorf("users are there, and the candidate is watched by %v", p.Steps[0].Gates)
	}
}
