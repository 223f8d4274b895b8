package described

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
)

var update = flag.Bool("update", false, "write the golden files")

const mark = "tidegate.dev/original.checkout"

var shop = plan.Traffic{Namespace: "shop", Base: "checkout", Candidate: "checkout-candidate"}

// objects are the names of the test objects, each with the router that drives it.
func objects() map[string]spec.Traffic {
	contour := spec.Traffic{Contour: &spec.Contour{HTTPProxy: "checkout"}}
	return map[string]spec.Traffic{
		"alb":              {ALB: &spec.ALB{Ingress: "shop"}},
		"alb-shared":       {ALB: &spec.ALB{Ingress: "shop", Action: "pay"}},
		"contour":          contour,
		"contour-recorded": contour,
		"apisix":           {APISIX: &spec.APISIX{Route: "checkout"}},
		"kong":             {Kong: &spec.Kong{HTTPRoute: "checkout"}},
		"linkerd":          {Linkerd: &spec.Linkerd{HTTPRoute: "checkout"}},
		"smi":              {SMI: &spec.SMI{TrafficSplit: "checkout"}},
		"custom-fields":    {Custom: fieldsOfOwn()},
		"custom-mirror":    {Custom: traefikMirror()},
		"custom":           {Custom: traefik()},
		"custom-matches":   {Custom: route()},
	}
}

func traefik() *spec.Custom {
	return &spec.Custom{
		Object: spec.ObjectRef{APIVersion: "traefik.io/v1alpha1", Kind: "TraefikService", Name: "checkout"},
		Weights: spec.SidePaths{Total: 100, Parts: true, Absent: 1,
			Base:      "spec.weighted.services[kind=|Service,name={{.Base}}].weight",
			Candidate: "spec.weighted.services[kind=|Service,name={{.Candidate}}].weight"},
	}
}

func traefikMirror() *spec.Custom {
	c := traefik()
	c.Mirror = &spec.MirrorPath{Path: "spec.mirroring.mirrors[name={{.Candidate}}]", Value: "{port: 80, percent: {{.Percent}}}"}
	return c
}

func fieldsOfOwn() *spec.Custom {
	return &spec.Custom{
		Object:   spec.ObjectRef{APIVersion: "example.com/v1", Kind: "Divider", Name: "checkout"},
		Weights:  spec.SidePaths{Base: "spec.weights.stable", Candidate: "spec.weights.canary", Total: 1000, Absent: 1},
		Mirror:   &spec.MirrorPath{Path: "spec.shadow", Value: "{{.Percent}}"},
		Accepted: "status.weight == spec.weights.canary",
	}
}

func kindOf(t *testing.T, block spec.Traffic) Kind {
	t.Helper()
	for _, k := range Kinds() {
		if k.Name() == block.Kind() {
			return k.(Kind).Of(block).(Kind)
		}
	}
	t.Fatalf("no router %s", block.Kind())
	return Kind{}
}

func parse(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	data, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	value, err := decode(string(data))
	if err != nil {
		t.Fatal(err)
	}
	u.Object = value.(map[string]any)
	return u
}

func load(t *testing.T, name string) *unstructured.Unstructured {
	t.Helper()
	return parse(t, source(t, name))
}

func source(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func split(t *testing.T, k Kind, o *unstructured.Unstructured, s plan.Split) {
	t.Helper()
	if changed, err := k.Split(o, shop, mark, s); err != nil || !changed {
		t.Fatalf("split %v: changed %v, %v", s, changed, err)
	}
}

func each(t *testing.T, f func(t *testing.T, k Kind, name string)) {
	for name, block := range objects() {
		t.Run(name, func(t *testing.T) { f(t, kindOf(t, block), name) })
	}
}

func equal(t *testing.T, got, want *unstructured.Unstructured) {
	t.Helper()
	a, _ := json.MarshalIndent(got.Object, "", " ")
	b, _ := json.MarshalIndent(want.Object, "", " ")
	if string(a) != string(b) {
		t.Errorf("got\n%s\nwant\n%s", a, b)
	}
}

// TestGolden: each description's object at a quarter and at everything, as it is stored.
func TestGolden(t *testing.T) {
	each(t, func(t *testing.T, k Kind, name string) {
		for file, s := range map[string]plan.Split{"25": {Weight: 25 * plan.OnePercent}, "100": {Weight: plan.All}} {
			o := load(t, name)
			split(t, k, o, s)
			golden(t, name+"-"+file, o)
		}
		if k.Can(objects()[name]).Mirror && name != "contour-recorded" {
			o := load(t, name)
			split(t, k, o, plan.Split{Mirror: 10 * plan.OnePercent})
			golden(t, name+"-mirror", o)
		}
	})
}

func golden(t *testing.T, name string, o *unstructured.Unstructured) {
	t.Helper()
	got, err := yaml.Marshal(o.Object)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want, err := os.ReadFile(file); err != nil || string(want) != string(got) {
		t.Errorf("%v; got\n%s\nwant (%s)\n%s", err, got, file, want)
	}
}

// TestLaws: whatever the splits before, the share is the one that was asked for, the same split again changes nothing, and
// Restore gives the object back byte for byte, with and without its memory.
func TestLaws(t *testing.T) {
	each(t, func(t *testing.T, k Kind, name string) {
		o, want := load(t, name), load(t, name)
		if k.Reaches(o.Object, shop) || k.Share(o.Object, shop) != 0 {
			t.Error("before the rollout something reaches the candidate")
		}
		for _, share := range []plan.Share{10 * plan.OnePercent, plan.All, plan.OnePercent, 50 * plan.OnePercent} {
			split(t, k, o, plan.Split{Weight: share})
			if got := k.Share(o.Object, shop); got != share || !k.Reaches(o.Object, shop) {
				t.Errorf("the share is %s, not %s", got, share)
			}
			if changed, err := k.Split(o, shop, mark, plan.Split{Weight: share}); changed || err != nil {
				t.Errorf("the same split again: changed %v, %v", changed, err)
			}
		}
		forgotten := o.DeepCopy()
		if changed, err := k.Restore(o, shop, mark, nil); err != nil || !changed {
			t.Fatalf("restore: changed %v, %v", changed, err)
		}
		equal(t, o, want)
		if changed, err := k.Restore(o, shop, mark, nil); err != nil || changed {
			t.Errorf("restore again: changed %v, %v", changed, err)
		}
		annotations := forgotten.GetAnnotations()
		delete(annotations, mark)
		forgotten.SetAnnotations(annotations)
		if _, err := k.Restore(forgotten, shop, mark, want.Object); err != nil {
			t.Fatal(err)
		}
		if annotations := forgotten.GetAnnotations(); len(annotations) == 0 {
			forgotten.SetAnnotations(nil)
		}
		equal(t, forgotten, want)
	})
}

// TestForgotten: where nobody knows how it was, the candidate still gets nothing.
func TestForgotten(t *testing.T) {
	each(t, func(t *testing.T, k Kind, name string) {
		o := load(t, name)
		split(t, k, o, plan.Split{Weight: 50 * plan.OnePercent})
		annotations := o.GetAnnotations()
		delete(annotations, mark)
		o.SetAnnotations(annotations)
		if changed, err := k.Restore(o, shop, mark, nil); err != nil || !changed || k.Reaches(o.Object, shop) {
			t.Errorf("changed %v, %v, reaches the candidate: %v", changed, err, k.Reaches(o.Object, shop))
		}
	})
}

// TestMirror: a mirror comes and goes, and reaches the candidate meanwhile.
func TestMirror(t *testing.T) {
	for _, name := range []string{"contour", "custom-fields", "custom-mirror"} {
		t.Run(name, func(t *testing.T) {
			k, o, want := kindOf(t, objects()[name]), load(t, name), load(t, name)
			for _, share := range []plan.Share{10 * plan.OnePercent, plan.All} {
				split(t, k, o, plan.Split{Mirror: share})
				if changed, err := k.Split(o, shop, mark, plan.Split{Mirror: share}); changed || err != nil {
					t.Errorf("the same again: changed %v, %v", changed, err)
				}
				if k.Share(o.Object, shop) != 0 {
					t.Errorf("users get answers of the mirror: %s", k.Share(o.Object, shop))
				}
			}
			if name != "custom-fields" && !k.Reaches(o.Object, shop) { // a mere number does not say whom it is for
				t.Error("the mirror does not reach the candidate")
			}
			if _, err := k.Split(o.DeepCopy(), shop, mark, plan.Split{Mirror: 500}); err == nil {
				t.Error("half a percent was mirrored")
			}
			if changed, err := k.Restore(o, shop, mark, nil); err != nil || !changed {
				t.Fatalf("restore: changed %v, %v", changed, err)
			}
			equal(t, o, want)
		})
	}
}

// TestOthersKeepTheirShares: in every list the others have what they had, of a sum that is another.
func TestOthersKeepTheirShares(t *testing.T) {
	for _, tc := range []struct {
		name    string
		weights string
		share   plan.Share
		want    map[string]int64
	}{
		{"whole", "{name: checkout, weight: 3}, {name: legacy, weight: 1}", 50 * plan.OnePercent, map[string]int64{"checkout": 3, "checkout-candidate": 3, "legacy": 2}},
		{"all", "{name: checkout, weight: 3}, {name: legacy, weight: 1}", plan.All, map[string]int64{"checkout": 0, "checkout-candidate": 3, "legacy": 1}},
		{"absent", "{name: checkout}, {name: legacy}", 10 * plan.OnePercent, map[string]int64{"checkout": 9, "checkout-candidate": 1, "legacy": 10}},
		{"half absent", "{name: checkout, weight: 4}, {name: legacy}", 25 * plan.OnePercent, map[string]int64{"checkout": 3, "checkout-candidate": 1, "legacy": 1}},
		{"a fraction", "{name: checkout, weight: 1}, {name: legacy, weight: 1}", 500, map[string]int64{"checkout": 199, "checkout-candidate": 1, "legacy": 200}},
		{"another kind", "{name: checkout, kind: TraefikService, weight: 5}, {name: checkout, weight: 5}", 20 * plan.OnePercent,
			map[string]int64{"checkout": 4, "checkout-candidate": 1, "TraefikService/checkout": 5}},
		{"alone", "{name: checkout, weight: 7}", 500, map[string]int64{"checkout": 199, "checkout-candidate": 1}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			k := kindOf(t, objects()["custom"])
			o := parse(t, "{apiVersion: traefik.io/v1alpha1, kind: TraefikService, metadata: {name: checkout, namespace: shop}, spec: {weighted: {services: ["+tc.weights+"]}}}")
			split(t, k, o, plan.Split{Weight: tc.share})
			list, _, _ := unstructured.NestedSlice(o.Object, "spec", "weighted", "services")
			got := map[string]int64{}
			for _, item := range list {
				m := item.(map[string]any)
				name := m["name"].(string)
				if m["kind"] == "TraefikService" {
					name = "TraefikService/" + name
				}
				got[name] = m["weight"].(int64)
			}
			if plan.Digest(got) != plan.Digest(tc.want) {
				t.Errorf("weights %v, want %v", got, tc.want)
			}
		})
	}
}

// TestShares: for any weights and any share, the candidate gets exactly its share of what the base had, and the others keep
// exactly theirs.
func TestShares(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	k := kindOf(t, objects()["custom"])
	for range 500 {
		before := []any{map[string]any{"name": "checkout", "weight": 1 + random.Int64N(1000)}}
		for i := range random.IntN(4) {
			other := map[string]any{"name": fmt.Sprint("other-", i)}
			if random.IntN(3) > 0 {
				other["weight"] = random.Int64N(1000)
			}
			before = slices.Insert(before, random.IntN(len(before)+1), any(other))
		}
		o := parse(t, "{apiVersion: traefik.io/v1alpha1, kind: TraefikService, metadata: {name: checkout, namespace: shop}}")
		if err := unstructured.SetNestedSlice(o.Object, before, "spec", "weighted", "services"); err != nil {
			t.Fatal(err)
		}
		want, share := o.DeepCopy(), plan.Share(1+random.Int64N(int64(plan.All)))
		split(t, k, o, plan.Split{Weight: share})
		after, _, _ := unstructured.NestedSlice(o.Object, "spec", "weighted", "services")
		was, sum := weightsOf(before)
		is, total := weightsOf(after)
		for name, w := range was {
			now := is[name]
			if name == "checkout" {
				now += is["checkout-candidate"]
				if is["checkout-candidate"]*int64(plan.All) != now*int64(share) {
					t.Errorf("%s of %v is %v", share, was, is)
				}
			}
			if now*sum != w*total {
				t.Errorf("%s of %v: %s has %d of %d", share, was, name, now, total)
			}
		}
		if _, err := k.Restore(o, shop, mark, nil); err != nil {
			t.Fatal(err)
		}
		equal(t, o, want)
	}
}

// weightsOf are the weights by name, one that is left out as 1, and their sum.
func weightsOf(list []any) (weights map[string]int64, sum int64) {
	weights = map[string]int64{}
	for _, item := range list {
		m := item.(map[string]any)
		w, ok := m["weight"].(int64)
		if !ok {
			w = 1
		}
		weights[m["name"].(string)] = w
		sum += w
	}
	return weights, sum
}

// TestOthersMeanwhile: what somebody adds, moves or changes during the rollout stays, and the rest is as it was.
func TestOthersMeanwhile(t *testing.T) {
	k := kindOf(t, objects()["contour"])
	o, want := load(t, "contour"), load(t, "contour")
	split(t, k, o, plan.Split{Weight: 25 * plan.OnePercent})
	change := func(o *unstructured.Unstructured) {
		routes, _, _ := unstructured.NestedSlice(o.Object, "spec", "routes")
		slices.Reverse(routes)
		routes[0].(map[string]any)["timeoutPolicy"] = map[string]any{"response": "9s"}
		added := parse(t, "{conditions: [{prefix: /new}], services: [{name: new, port: 80, weight: 7}]}").Object
		if err := unstructured.SetNestedSlice(o.Object, append([]any{added}, routes...), "spec", "routes"); err != nil {
			t.Fatal(err)
		}
		o.SetLabels(map[string]string{"new": "label"})
	}
	change(o)
	change(want)
	if changed, err := k.Split(o, shop, mark, plan.Split{Weight: 25 * plan.OnePercent}); changed || err != nil {
		t.Errorf("a move is taken for drift: %v, %v", changed, err)
	}
	if _, err := k.Restore(o, shop, mark, nil); err != nil {
		t.Fatal(err)
	}
	equal(t, o, want)
}

// TestBaseTakenOut: a list must send somewhere, whatever somebody took out of it.
func TestBaseTakenOut(t *testing.T) {
	k := kindOf(t, objects()["custom"])
	o, want := load(t, "custom"), load(t, "custom")
	split(t, k, o, plan.Split{Weight: 25 * plan.OnePercent})
	services, _, _ := unstructured.NestedSlice(o.Object, "spec", "weighted", "services")
	services = slices.DeleteFunc(services, func(s any) bool { return s.(map[string]any)["name"] == "checkout" })
	if err := unstructured.SetNestedSlice(o.Object, services, "spec", "weighted", "services"); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Split(o.DeepCopy(), shop, mark, plan.Split{Weight: plan.All}); err == nil || !strings.Contains(err.Error(), "could be divided") {
		t.Errorf("a split without a base: %v", err)
	}
	if _, err := k.Restore(o, shop, mark, nil); err != nil {
		t.Fatal(err)
	}
	equal(t, o, want)
}

// TestJSONThatSomebodyChanged: their change stays, and the weights are as they were.
func TestJSONThatSomebodyChanged(t *testing.T) {
	k, o := kindOf(t, objects()["alb"]), load(t, "alb")
	split(t, k, o, plan.Split{Weight: 25 * plan.OnePercent})
	key := "alb.ingress.kubernetes.io/actions.checkout"
	annotations := o.GetAnnotations()
	annotations[key] = strings.Replace(annotations[key], `"type":"forward"`, `"order":1,"type":"forward"`, 1)
	o.SetAnnotations(annotations)
	if _, err := k.Restore(o, shop, mark, nil); err != nil {
		t.Fatal(err)
	}
	want := `{"forwardConfig":{"targetGroups":[{"serviceName":"checkout","servicePort":"http"}]},"order":1,"type":"forward"}`
	if got := o.GetAnnotations()[key]; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestRefused: a split that the object cannot carry is an error that names the object, and changes nothing.
func TestRefused(t *testing.T) {
	for _, tc := range []struct {
		name, object string
		split        plan.Split
		want         string
	}{
		{"no such service", "{kind: TrafficSplit, metadata: {name: x}, spec: {backends: [{service: other, weight: 1}]}}", plan.Split{Weight: 1000}, "could be divided"},
		{"no list", "{kind: TrafficSplit, metadata: {name: x}, spec: {backends: {}}}", plan.Split{Weight: 1000}, "could be divided"},
		{"texts in the list", "{kind: TrafficSplit, metadata: {name: x}, spec: {backends: [checkout]}}", plan.Split{Weight: 1000}, "no object"},
		{"a text as weight", "{kind: TrafficSplit, metadata: {name: x}, spec: {backends: [{service: checkout, weight: 100m}]}}", plan.Split{Weight: 1000}, "no whole number"},
		{"no weight", "{kind: TrafficSplit, metadata: {name: x}, spec: {backends: [{service: checkout, weight: 0}, {service: other, weight: 1}]}}", plan.Split{Weight: 1000}, "has the weight 0"},
		{"a ring", "{kind: TrafficSplit, metadata: {name: x}, spec: {backends: [{service: checkout, weight: 1}]}}", plan.Split{Ring: []plan.Match{{Header: "X", Value: "1"}}}, "tell requests apart"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := parse(t, tc.object)
			before := o.DeepCopy()
			if _, err := kindOf(t, objects()["smi"]).Split(o, shop, mark, tc.split); err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "x") {
				t.Errorf("error %v, want %q", err, tc.want)
			}
			equal(t, o, before)
		})
	}
	over := load(t, "alb-shared")
	if _, err := kindOf(t, objects()["alb-shared"]).Split(over, shop, mark, plan.Split{Weight: 500}); err == nil || !strings.Contains(err.Error(), "999") {
		t.Errorf("a weight over the load balancer's limit: %v", err)
	}
	if _, err := kindOf(t, objects()["custom-fields"]).Split(load(t, "custom-fields"), shop, mark, plan.Split{Weight: 1}); err == nil || !strings.Contains(err.Error(), "cannot express") {
		t.Errorf("a share that the sum cannot express: %v", err)
	}
}

// TestFrom: what Make writes into a plan is the same router, whatever the spec says later.
func TestFrom(t *testing.T) {
	each(t, func(t *testing.T, k Kind, name string) {
		to := shop
		if made, err := k.Make(&to, plan.Baseline{}, plan.Split{}); err != nil || len(made) != 0 {
			t.Fatalf("made %v, %v", made, err)
		}
		data, err := json.Marshal(to)
		if err != nil {
			t.Fatal(err)
		}
		var stored plan.Traffic
		if err := json.Unmarshal(data, &stored); err != nil {
			t.Fatal(err)
		}
		again, err := kindOf(t, spec.Traffic{SMI: &spec.SMI{}}).From(stored)
		if err != nil {
			t.Fatal(err)
		}
		a, b := load(t, name), load(t, name)
		split(t, k, a, plan.Split{Weight: 10 * plan.OnePercent})
		split(t, again.(Kind), b, plan.Split{Weight: 10 * plan.OnePercent})
		equal(t, b, a)
	})
	if _, err := (Kind{}).From(plan.Traffic{}); err == nil {
		t.Error("a plan without a description has a router")
	}
}

func TestRoutes(t *testing.T) {
	each(t, func(t *testing.T, k Kind, name string) {
		o := load(t, name)
		want := plan.RefOf(o.Object)
		refs := k.Routes(objects()[name], "shop")
		if len(refs) != 1 || refs[0] != want {
			t.Errorf("routes %v, want %v", refs, want)
		}
	})
}
