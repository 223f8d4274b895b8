package recreate_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/strategies/recreate"
)

// TestSets: a workload that has no type Recreate is stopped and started only when the spec accepts what that risks.
func TestSets(t *testing.T) {
	for _, kind := range []string{"StatefulSet", "DaemonSet"} {
		t.Run(kind, func(t *testing.T) {
			in := input(t)
			in.Baseline.Workload["kind"] = kind
			if _, err := (recreate.Strategy{}).Compile(in); err == nil || !strings.Contains(err.Error(), "acceptOutageOnCrash: true") ||
				!strings.Contains(err.Error(), "a "+kind+" has no type Recreate") {
				t.Errorf("error %v", err)
			}
			in.Deploy.Spec.Strategy.Recreate.AcceptOutageOnCrash = true
			p, err := recreate.Strategy{}.Compile(in)
			if err != nil || !strings.Contains(strings.Join(p.Notes, " "), "no pod runs until the next run") {
				t.Errorf("%v, notes %v", err, p.Notes)
			}
			if kind != "StatefulSet" {
				return
			}
			data, err := json.MarshalIndent(p, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			path, got := filepath.Join(testdata, "plans", "recreate-statefulset.json"), string(data)+"\n"
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want, err := os.ReadFile(path); err != nil || got != string(want) {
				t.Errorf("the plan differs from %s (%v); if that is meant, run the test with -update and look at the change:\n%s", path, err, got)
			}
		})
	}
}
