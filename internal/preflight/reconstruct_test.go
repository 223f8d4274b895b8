package preflight

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/actuate"
	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/traffic"
	"github.com/tidegate/tidegate/internal/traffic/gatewayapi"
)

func TestMarksAreTheActuators(t *testing.T) {
	if rolloutLabel != actuate.RolloutLabel {
		t.Errorf("the label is %s", actuate.RolloutLabel)
	}
}

// rollout does a part of a rollout by the product's own actuator and router, as if its runner died then.
func (w *world) rollout(ops ...plan.Op) (before plan.Baseline) {
	w.t.Helper()
	o, _, p := w.compiled()
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	scene := w.client.NewScene(ctx)
	router := gatewayapi.New(w.client, scene, "checkout", *p.Objects.Traffic)
	a := actuate.New(actuate.Options{Client: w.client, Clock: clock.Real{}, Scene: scene, Router: router, Objects: p.Objects,
		Rollout: "r1", Progress: 300 * time.Millisecond, Tell: func(string) {}})
	for _, op := range ops {
		if op.Kind == plan.SetSplit {
			if err := router.Set(ctx, *p.Objects.Traffic, op.Weight); err != nil {
				w.t.Fatal(err)
			}
			continue
		}
		_ = a.Apply(ctx, op) // no pod ever gets ready here: what counts is what was written
	}
	return o.Baseline
}

func TestReconstruct(t *testing.T) {
	split := plan.Op{Kind: plan.SetSplit, Weight: 10 * plan.OnePercent}
	candidate := plan.Op{Kind: plan.EnsureCandidate, Weight: plan.All}
	roll := plan.Op{Kind: plan.RollBase, Version: plan.Candidate}
	for _, test := range []struct {
		name        string
		ops         []plan.Op
		image       string
		base, route bool
	}{
		{"candidate only", []plan.Op{candidate}, "checkout:v2", false, false},
		{"held and split", []plan.Op{candidate, {Kind: plan.HoldScaler}, split}, "checkout:v2", false, true},
		{"base rolled", []plan.Op{candidate, {Kind: plan.HoldScaler}, {Kind: plan.SetSplit, Weight: plan.All}, roll}, "checkout:v2", true, true},
		{"candidate gone", []plan.Op{roll}, "checkout:v2", true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.add(hpa("checkout", ""))
			w.patch("workload", `{metadata: {annotations: {owner: pay}}}`)
			w.patch("route", rules(`[{name: api, backendRefs: [{name: checkout, port: 80, weight: 7}, {name: legacy, port: 80, weight: 3}]}, {backendRefs: [{name: pages, port: 80}]}]`))
			before := w.rollout(test.ops...)
			o, err := w.observe()
			if err != nil {
				t.Fatal(err)
			}
			if len(o.Leftovers) == 0 {
				t.Error("no leftovers")
			}
			found, err := Reconstruct(o)
			if err != nil {
				t.Fatal(err)
			}
			if found.BaseChanged != test.base || found.RouteChanged != test.route || found.CandidateImages["checkout"] != test.image {
				t.Errorf("found %v %v %v", found.BaseChanged, found.RouteChanged, found.CandidateImages)
			}
			for i, pair := range [][2]plan.Object{{before.Workload, found.Baseline.Workload}, {before.Scaler, found.Baseline.Scaler}, {before.Routes[0], found.Baseline.Routes[0]}} {
				if a, b := essence(pair[0]), essence(pair[1]); !reflect.DeepEqual(a, b) {
					t.Errorf("object %d was\n%v and is reconstructed as\n%v", i, a, b)
				}
			}
		})
	}
}

// essence is what a user wrote of an object.
func essence(o plan.Object) plan.Object {
	annotations := wrap(o).GetAnnotations()
	return plan.Object{"spec": o["spec"], "labels": wrap(o).GetLabels(), "annotations": len(annotations), "owner": annotations["owner"]}
}

func TestReconstructWithoutTheMarkOfTheRoute(t *testing.T) {
	w := newWorld(t)
	w.patch("route", rules(`[{backendRefs: [{name: checkout, port: 80, weight: 90}, {name: checkout-candidate, port: 80, weight: 10}]}]`))
	o, err := w.observe()
	if err != nil {
		t.Fatal(err)
	}
	found, err := Reconstruct(o)
	refs := listAt(listAt(found.Baseline.Routes[0], "spec", "rules")[0], "backendRefs")
	if err != nil || !found.RouteChanged || len(refs) != 1 || refs[0]["weight"] != int64(1) {
		t.Errorf("backends %v, error %v", refs, err)
	}
}

func TestReconstructCannotReadTheMark(t *testing.T) {
	for _, text := range []string{"", "!", "bm90IGd6aXA="} {
		w := newWorld(t)
		w.patch("workload", `{metadata: {annotations: {`+traffic.Original("checkout")+`: "`+text+`"}}}`)
		o, err := w.observe()
		if err != nil {
			t.Fatal(err)
		}
		var wrong *Invalid
		if _, err := Reconstruct(o); !errors.As(err, &wrong) {
			t.Errorf("error is %v", err)
		}
	}
}
