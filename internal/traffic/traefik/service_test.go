package traefik

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/tidegate/tidegate/internal/plan"
)

const mark = "tidegate.dev/original.checkout"

func between() plan.Traffic {
	return plan.Traffic{Router: Name, Namespace: "shop", Base: "checkout", Candidate: "checkout-candidate",
		Routes: []plan.Ref{{APIVersion: Version, Kind: kindService, Namespace: "shop", Name: "checkout"}}}
}

func read(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	var o map[string]any
	if err := yaml.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	return &unstructured.Unstructured{Object: plan.Whole(o)}
}

func service(t *testing.T, spec string) *unstructured.Unstructured {
	t.Helper()
	return read(t, "{apiVersion: "+Version+", kind: TraefikService, metadata: {name: checkout, namespace: shop, labels: {app: checkout}, annotations: {team: pay}}, spec: "+spec+"}")
}

func write(t *testing.T, o *unstructured.Unstructured) string {
	t.Helper()
	data, err := yaml.Marshal(o.Object)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func split(t *testing.T, o *unstructured.Unstructured, to plan.Traffic, s plan.Split) {
	t.Helper()
	if _, err := (Kind{}).Split(o, to, mark, s); err != nil {
		t.Fatal(err)
	}
	if again, err := (Kind{}).Split(o, to, mark, s); again || err != nil {
		t.Fatalf("the same split once more changed it (%v):\n%s", err, write(t, o))
	}
}

func back(t *testing.T, o *unstructured.Unstructured, to plan.Traffic, before plan.Object) {
	t.Helper()
	if _, err := (Kind{}).Restore(o, to, mark, before); err != nil {
		t.Fatal(err)
	}
	if again, err := (Kind{}).Restore(o, to, mark, before); again || err != nil {
		t.Fatalf("restored once more it changed (%v):\n%s", err, write(t, o))
	}
}

// told are the entries in short.
func told(o *unstructured.Unstructured) string {
	var all []string
	for _, e := range entriesOf(o.Object) {
		weight := "-"
		if n, ok := numberAt(e, "weight"); ok {
			weight = fmt.Sprint(n)
		}
		all = append(all, strings.TrimPrefix(text(e, "kind")+"/", "/")+text(e, "name")+":"+weight)
	}
	return strings.Join(all, " ")
}

func TestWeights(t *testing.T) {
	for _, tc := range []struct{ name, services, share, want string }{
		{"one entry", "[{name: checkout, port: 80}]", "10", "checkout:90 checkout-candidate:10"},
		{"one entry with a weight", "[{name: checkout, port: 80, weight: 7}]", "10", "checkout:90 checkout-candidate:10"},
		{"full share leaves no base", "[{name: checkout, port: 80, weight: 7}]", "100", "checkout-candidate:7"},
		{"a fraction", "[{name: checkout, port: 80}]", "0.5", "checkout:199 checkout-candidate:1"},
		{"others", "[{name: old, port: 80}, {name: checkout, port: 80, weight: 3}]", "50", "old:100 checkout:150 checkout-candidate:150"},
		{"others at full share", "[{name: old, port: 80}, {kind: Service, name: checkout, port: 80, weight: 3}]", "100", "old:- Service/checkout-candidate:3"},
		{"a TraefikService of the name", "[{kind: TraefikService, name: checkout}, {name: checkout, port: 80}]", "50", "TraefikService/checkout:100 checkout:50 checkout-candidate:50"},
		{"another namespace", "[{namespace: other, name: checkout, port: 80}, {namespace: shop, name: checkout, port: 80}]", "50", "checkout:100 checkout:50 checkout-candidate:50"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := service(t, "{weighted: {services: "+tc.services+"}}")
			was := write(t, o)
			share := shareFrom(t, tc.share)
			split(t, o, between(), plan.Split{Weight: share})
			if got := told(o); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
			if got := (Kind{}).Share(o.Object, between()); got != share {
				t.Errorf("the share is said to be %s", got)
			}
			if !(Kind{}).Reaches(o.Object, between()) {
				t.Error("the candidate is said not to be reached")
			}
			back(t, o, between(), nil)
			if got := write(t, o); got != was {
				t.Errorf("restored:\n%s\nwas:\n%s", got, was)
			}
		})
	}
}

func shareFrom(t *testing.T, percent string) plan.Share {
	t.Helper()
	var n float64
	if _, err := fmt.Sscan(percent, &n); err != nil {
		t.Fatal(err)
	}
	return plan.Share(n * float64(plan.OnePercent))
}

// Through any walk of splits the base's part is divided exactly, others keep theirs, and the object comes back byte for byte.
func TestAnyWalkComesBack(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		var entries []string
		for i := range draw.IntN(4) {
			entries = append(entries, fmt.Sprintf("{name: other-%d, port: 80, weight: %d, strategy: p2c}", i, draw.IntN(9)))
		}
		own := []string{"{name: checkout, port: 80}", "{kind: Service, name: checkout, port: http, scheme: h2c, weight: 4}"}[draw.IntN(2)]
		entries = slices.Insert(entries, draw.IntN(len(entries)+1), own)
		o := service(t, "{weighted: {services: ["+strings.Join(entries, ", ")+"], sticky: {cookie: {name: s}}}}")
		was, parts := write(t, o), partsOf(o)
		for range 4 {
			s := plan.Split{Weight: plan.Share(1 + draw.IntN(int(plan.All)))}
			switch draw.IntN(6) {
			case 0:
				s.Weight = plan.All
			case 1:
				s = plan.Split{Mirror: 10 * plan.OnePercent}
			case 2:
				s = plan.Split{Ring: []plan.Match{{Header: "X-Staff", Value: "1"}}}
			}
			split(t, o, between(), s)
			if got := (Kind{}).Share(o.Object, between()); got != s.Weight {
				t.Fatalf("%s became %s in\n%s", s, got, write(t, o))
			}
			if got := partsOf(o); got != parts {
				t.Fatalf("the others had %s and have %s after %s", parts, got, s)
			}
		}
		back(t, o, between(), nil)
		if got := write(t, o); got != was {
			t.Fatalf("restored:\n%s\nwas:\n%s", got, was)
		}
	}
}

// partsOf are the shares of the others.
func partsOf(o *unstructured.Unstructured) string {
	var sum int64
	for _, e := range entriesOf(o.Object) {
		sum += weightOf(e)
	}
	var all []string
	for _, e := range entriesOf(o.Object) {
		if strings.HasPrefix(text(e, "name"), "other") {
			all = append(all, fmt.Sprintf("%s %.9f", text(e, "name"), float64(weightOf(e))/float64(sum)))
		}
	}
	return strings.Join(all, ", ")
}

func TestSomebodyChangesItMeanwhile(t *testing.T) {
	o := service(t, "{weighted: {services: [{name: checkout, port: 80, weight: 2}, {name: old, port: 80, weight: 1}]}}")
	before := o.DeepCopy().Object
	split(t, o, between(), plan.Split{Weight: 20 * plan.OnePercent})
	entries := entriesOf(o.Object)
	slices.Reverse(entries)
	entries = append(entries, map[string]any{"name": "new", "port": int64(80), "weight": int64(5)})
	if err := set(o, entries, "spec", "weighted", "services"); err != nil {
		t.Fatal(err)
	}
	o.SetLabels(map[string]string{"app": "checkout", "added": "yes"})
	split(t, o, between(), plan.Split{Weight: 50 * plan.OnePercent})
	if got, want := told(o), "old:100 checkout:100 checkout-candidate:100 new:500"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	back(t, o, between(), before)
	if got, want := told(o), "old:1 checkout:2 new:5"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if o.GetLabels()["added"] != "yes" || o.GetAnnotations()[mark] != "" || o.GetAnnotations()["team"] != "pay" {
		t.Errorf("labels and annotations are %v %v", o.GetLabels(), o.GetAnnotations())
	}
}

func TestRestoreWithoutTheMark(t *testing.T) {
	for _, s := range []plan.Split{{Weight: 10 * plan.OnePercent}, {Weight: plan.All}, {Mirror: plan.All}} {
		o := service(t, "{weighted: {services: [{name: checkout, port: 80}, {name: old, port: 80, weight: 1}]}}")
		was := o.DeepCopy()
		split(t, o, between(), s)
		o.SetAnnotations(map[string]string{"team": "pay"})
		back(t, o, between(), was.Object)
		if got, want := write(t, o), write(t, was); got != want {
			t.Errorf("%s: restored:\n%s\nwas:\n%s", s, got, want)
		}
	}
}

func TestUntouchedStays(t *testing.T) {
	for _, spec := range []string{"{weighted: {services: [{name: old, port: 80}]}}", "{mirroring: {name: checkout, port: 80, mirrors: []}}", "{failover: {}}"} {
		o := service(t, spec)
		if changed, err := (Kind{}).Restore(o, between(), mark, nil); changed || err != nil {
			t.Errorf("%s: changed %v, %v", spec, changed, err)
		}
		if (Kind{}).Reaches(o.Object, between()) || (Kind{}).Share(o.Object, between()) != 0 {
			t.Errorf("%s is said to reach the candidate", spec)
		}
	}
}

func TestWhatDoesNotFit(t *testing.T) {
	ten := plan.Split{Weight: 10 * plan.OnePercent}
	for _, tc := range []struct {
		name, spec, want string
		split            plan.Split
	}{
		{"no base", "{weighted: {services: [{name: old, port: 80}]}}", "has no entry of Service checkout", ten},
		{"only a TraefikService", "{weighted: {services: [{kind: TraefikService, name: checkout}]}}", "has no entry of Service checkout", ten},
		{"no base for cohorts", "{weighted: {services: [{name: old, port: 80}]}}", "has no entry of Service checkout", plan.Split{Cohorts: &plan.Cohorts{}}},
		{"nothing to divide", "{weighted: {services: [{name: checkout, port: 80, weight: 0}]}}", "its weight is 0", ten},
		{"a mirror", "{mirroring: {name: checkout, port: 80}}", "has no weights to divide", ten},
		{"a mirror of another", "{mirroring: {name: old, port: 80}}", "does not send to Service checkout but to old", plan.Split{Mirror: plan.All}},
		{"a part of a percent", "{mirroring: {name: checkout, port: 80}}", "whole number", plan.Split{Mirror: plan.OnePercent / 2}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := service(t, tc.spec)
			was := write(t, o)
			_, err := (Kind{}).Split(o, between(), mark, tc.split)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %s", err, tc.want)
			}
			if write(t, o) != was {
				t.Error("it was changed all the same")
			}
		})
	}
}

func TestMirrors(t *testing.T) {
	t.Run("beside the user's", func(t *testing.T) {
		for _, mirrors := range []string{"", ", mirrors: []", ", mirrors: [{name: audit, port: 80, percent: 5}]"} {
			o := service(t, "{mirroring: {name: checkout, port: 80, mirrorBody: false"+mirrors+"}}")
			was := write(t, o)
			for _, share := range []plan.Share{20, 50} {
				split(t, o, between(), plan.Split{Mirror: share * plan.OnePercent})
				all := listAt(o.Object, "spec", "mirroring", "mirrors")
				own := all[len(all)-1]
				if want := "map[name:checkout-candidate nativeLB:true percent:" + fmt.Sprint(int(share)) + " port:80]"; fmt.Sprint(own) != want {
					t.Errorf("got %v, want %s", own, want)
				}
			}
			if (Kind{}).Share(o.Object, between()) != 0 || !(Kind{}).Reaches(o.Object, between()) {
				t.Error("a mirror reaches the candidate, and has no share")
			}
			back(t, o, between(), nil)
			if got := write(t, o); got != was {
				t.Errorf("restored:\n%s\nwas:\n%s", got, was)
			}
		}
	})
	t.Run("a headless Service", func(t *testing.T) {
		o := service(t, "{weighted: {services: [{name: checkout, port: 80}]}}")
		to := between()
		b := plan.Baseline{Routes: []plan.Object{o.Object}, Service: plan.Object{"spec": map[string]any{"clusterIP": "None"}}}
		made, err := Kind{}.Make(&to, b, plan.Split{Mirror: plan.All})
		if err != nil || len(made) != 1 {
			t.Fatalf("%v, %v", made, err)
		}
		own := &unstructured.Unstructured{Object: made[0]}
		split(t, own, to, plan.Split{Mirror: plan.All})
		if mirrors := listAt(own.Object, "spec", "mirroring", "mirrors"); len(mirrors) != 1 || mirrors[0]["nativeLB"] != false {
			t.Errorf("the mirror is %v; such a Service has no address of its own", mirrors)
		}
		back(t, own, to, nil)
		if (Kind{}).Reaches(own.Object, to) {
			t.Errorf("restored it reaches the candidate: %s", write(t, own))
		}
	})
}
