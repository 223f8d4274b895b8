package rolling_test

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/strategies"
	"github.com/tidegate/tidegate/strategies/rolling"
)

// become makes the workload one of another kind, with an updateStrategy of its own.
func become(kind string, own map[string]any) func(*strategies.Input) {
	return func(in *strategies.Input) {
		in.Baseline.Workload["kind"] = kind
		fields := in.Baseline.Workload["spec"].(map[string]any)
		for _, field := range []string{"strategy", "progressDeadlineSeconds"} {
			delete(fields, field)
		}
		if kind == "DaemonSet" {
			delete(fields, "replicas")
		}
		if own != nil {
			fields["updateStrategy"] = own
		}
	}
}

func surging(surge, unavailable any) map[string]any {
	return map[string]any{"type": "RollingUpdate", "rollingUpdate": map[string]any{"maxSurge": surge, "maxUnavailable": unavailable}}
}

func TestGoldenPlansOfSets(t *testing.T) {
	for _, tc := range []struct {
		name, strategy string
		change         func(*strategies.Input)
	}{
		{"rolling-statefulset", "{pauseAt: [1, 50%], hold: 1m, minReady: 10s}", func(in *strategies.Input) {
			become("StatefulSet", map[string]any{"type": "OnDelete"})(in)
			scaled(in)
		}},
		{"rolling-daemonset", "{pauseAt: [1], maxUnavailable: 2}", become("DaemonSet", surging(int64(1), int64(0)))},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := input(t, tc.strategy)
			tc.change(&in)
			got, err := json.MarshalIndent(compile(t, in), "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join(testdata, "plans", tc.name+".json"), string(got)+"\n")
		})
	}
}

// TestPacesOfSets: a StatefulSet goes by its partition, which the op says by its kind; a DaemonSet has one bound at a time.
func TestPacesOfSets(t *testing.T) {
	for _, tc := range []struct {
		name, strategy string
		change         func(*strategies.Input)
		forward        plan.Pace
	}{
		{"a StatefulSet", "{}", become("StatefulSet", nil), plan.Pace{}},
		{"a DaemonSet by its own", "{}", become("DaemonSet", nil), plan.Pace{}},
		{"a DaemonSet with a surge", "{maxSurge: 1}", become("DaemonSet", nil), plan.Pace{MaxSurge: "1", MaxUnavailable: "0"}},
		{"a DaemonSet without one", "{maxUnavailable: 50%}", become("DaemonSet", surging("10%", int64(0))), plan.Pace{MaxSurge: "0", MaxUnavailable: "50%"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := input(t, tc.strategy)
			tc.change(&in)
			p := compile(t, in)
			if got := p.Steps[0].Do[0].Pace; got != tc.forward {
				t.Errorf("there by %+v", got)
			}
			if ops := p.UndoFrom(len(p.Steps) - 1); !reflect.DeepEqual(ops[0], plan.Op{Kind: plan.Roll, Version: plan.Base}) {
				t.Errorf("back by %+v", ops[0])
			}
		})
	}
}

func TestCompileRefusesSets(t *testing.T) {
	one := &spec.Amount{Pods: 1}
	for _, tc := range []struct {
		name   string
		change func(*strategies.Input)
		conf   spec.Rolling
		want   string
	}{
		{"a StatefulSet's surge", become("StatefulSet", nil), spec.Rolling{MaxSurge: one}, "a StatefulSet has no maxSurge"},
		{"what a StatefulSet may miss", become("StatefulSet", nil), spec.Rolling{MaxUnavailable: one}, "not to be relied on"},
		{"both of a DaemonSet", become("DaemonSet", nil), spec.Rolling{MaxSurge: one, MaxUnavailable: one}, "cannot have both"},
		{"neither of a DaemonSet", become("DaemonSet", surging(int64(1), int64(0))), spec.Rolling{MaxSurge: &spec.Amount{}}, "both 0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := input(t, "{}")
			tc.change(&in)
			in.Deploy.Spec.Strategy.Rolling = &tc.conf
			if _, err := (rolling.Strategy{}).Compile(in); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
		})
	}
}

// TestNotesOfSets: what differs from a Deployment is said.
func TestNotesOfSets(t *testing.T) {
	for _, tc := range []struct {
		name, strategy, want string
		size                 int
		change               func(*strategies.Input)
	}{
		{"one pod", "{}", "meanwhile nobody is served", 1, become("StatefulSet", nil)},
		{"a partition of the user's", "{}", "gets its own settings back", 4, become("StatefulSet",
			map[string]any{"type": "RollingUpdate", "rollingUpdate": map[string]any{"partition": int64(2)}})},
		{"OnDelete", "{}", "gets its own settings back", 4, become("DaemonSet", map[string]any{"type": "OnDelete"})},
		{"pauses by ordinal", "{pauseAt: [1]}", "the last one first", 4, become("StatefulSet", nil)},
		{"nodes that join", "{pauseAt: [1]}", "A node that joins", 4, become("DaemonSet", nil)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := input(t, tc.strategy)
			in.Baseline.Size = tc.size
			tc.change(&in)
			if notes := strings.Join(compile(t, in).Notes, "\n"); !strings.Contains(notes, tc.want) {
				t.Errorf("notes:\n%s\nwant %q", notes, tc.want)
			}
		})
	}
}
