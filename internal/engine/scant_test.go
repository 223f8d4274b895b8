package engine_test

import (
	"testing"
	"time"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/engine"
)

// TestScant: a step that may have no data of a gate ends without; a failure undoes all the same.
func TestScant(t *testing.T) {
	for _, tc := range []struct {
		name, looks string
		scant       bool
		phase       engine.Phase
		at          time.Duration
	}{
		{"no data", "------------", true, engine.Succeeded, 3 * time.Second},
		{"no data is waited for elsewhere", "------pppppp", false, engine.Succeeded, 5 * time.Second},
		{"a failure", "--f", true, engine.RolledBack, time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.watch("g", tc.looks, gates.Rule{Every: time.Second, NoData: gates.NoDataWait, NoDataFor: time.Minute})
				s := step("a", 3*time.Second, "g")
				if tc.scant {
					s.Scant = []string{"g"}
				}
				o, err := w.begin(s)
				if err != nil || o.Phase != tc.phase || w.at() != tc.at {
					t.Errorf("%+v, %v at %s", o, err, w.at())
				}
			})
		})
	}
}
