package e2e

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// inForceWithin is what a gateway may need until it obeys a switch, with other tests beside it.
const inForceWithin = 2 * time.Second

// blueGreens are the two forms of the strategy.
func blueGreens(strategy string) map[string]layout {
	return map[string]layout{
		"over a route":   {strategy: strategy, extra: scaler},
		"by the Service": {strategy: strategy, routeless: true, extra: scaler},
	}
}

// TestBlueGreenGood switches to a good version, from one that ends politely and from one that drops its connections. No
// request is lost, and a switch is in force in a moment.
func TestBlueGreenGood(t *testing.T) {
	for _, c := range []struct{ name, from, to string }{{"graceful", "v1", "v2"}, {"rude", "v9", "v10"}} {
		for form, l := range blueGreens("{blueGreen: {keepOld: 6s, drain: 2s}}") {
			t.Run(c.name+" "+form, func(t *testing.T) {
				t.Parallel()
				if (c.name == "graceful") == (form == "over a route") {
					exhaustive(t)
				}
				l.version = c.from
				s := open(t, l)
				changes := s.changes()
				s.deploy(c.to).want(0)
				s.whole(c.to)
				s.switched(changes(), c.to)
			})
		}
	}
}

// changes notes when the route's or the Service's backend changes, until the function that it returns is called.
func (s *shop) changes() func() []time.Time {
	s.t.Helper()
	gvr := routes
	if s.routeless {
		gvr = services
	}
	ctx, cancel := context.WithCancel(context.Background())
	now := s.get(gvr, "checkout")
	events, err := client.Resource(gvr).Namespace(s.namespace).Watch(ctx, metav1.ListOptions{ResourceVersion: now.GetResourceVersion(),
		FieldSelector: "metadata.name=checkout"})
	if err != nil {
		s.t.Fatal(err)
	}
	var at []time.Time
	last := target(gvr, now)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for e := range events.ResultChan() {
			if o, ok := e.Object.(*unstructured.Unstructured); ok && target(gvr, o) != last {
				last = target(gvr, o)
				at = append(at, time.Now())
			}
		}
	}()
	stop := func() []time.Time {
		cancel()
		events.Stop()
		<-done
		return at
	}
	s.t.Cleanup(func() { stop() })
	return stop
}

// target is where requests go.
func target(gvr schema.GroupVersionResource, o *unstructured.Unstructured) string {
	if gvr == services {
		return fmt.Sprint(nested(o, "spec", "selector"))
	}
	rules, _, _ := unstructured.NestedSlice(o.Object, "spec", "rules")
	return fmt.Sprint(rules[0].(map[string]any)["backendRefs"])
}

// switched wants the first of the changes to be in force within a moment: from then on only the new version answers.
func (s *shop) switched(changes []time.Time, version string) {
	s.t.Helper()
	if len(changes) == 0 {
		s.t.Error("no switch was seen")
		return
	}
	until := time.Now()
	if len(changes) > 1 {
		until = changes[1]
	}
	last := time.Duration(0)
	for _, a := range s.between(changes[0], until) {
		if a.Version != "" && a.Version != version {
			last = a.At.Sub(changes[0])
		}
	}
	s.t.Logf("the switch to %s was in force after %s", version, last.Round(time.Millisecond))
	if last > inForceWithin {
		s.t.Errorf("users met another version than %s until %s after the switch", version, last)
	}
}

// TestBlueGreenBad switches back: a version that cannot start is never met, one that errs is met for moments.
func TestBlueGreenBad(t *testing.T) {
	for _, c := range []struct {
		name, version string
		met           bool
		says          []string
	}{
		{"errors", "v3", true, []string{"rolled back", "errors"}},
		{"crash loop", "v6", false, []string{"rolled back", "/etc/checkout/config.yaml: no such file or directory"}},
		{"no such image", "nope", false, []string{"rolled back", "ImagePull"}},
	} {
		for form, l := range blueGreens("{blueGreen: {keepOld: 20s, drain: 1s}}") {
			t.Run(c.name+" "+form, func(t *testing.T) {
				t.Parallel()
				if c.name != "errors" && form == "over a route" {
					exhaustive(t)
				}
				s := open(t, l)
				p := s.deploy(c.version)
				p.want(3)
				p.mentions(c.says...)
				s.whole("v1")
				if !c.met {
					s.neverMet(c.version)
				}
			})
		}
	}
}

// TestBlueGreenSwitchBack aborts while the old version stands by: one write, and everyone is back within a moment.
func TestBlueGreenSwitchBack(t *testing.T) {
	for form, l := range blueGreens("{blueGreen: {keepOld: 2m, drain: 2s}}") {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			s := open(t, l)
			p := s.deploy("v2")
			p.hold("full")
			changes := s.changes()
			s.run(0, "abort")
			p.want(3)
			s.switched(changes(), "v1")
			s.whole("v1")
		})
	}
}

// TestBlueGreenOvertaken deploys a third version while the old one stands by: everyone goes back first.
func TestBlueGreenOvertaken(t *testing.T) {
	for form, l := range blueGreens("{blueGreen: {keepOld: 8s, drain: 1s}}") {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			if form == "over a route" {
				exhaustive(t)
			}
			s := open(t, l)
			first := s.deploy("v2")
			first.hold("full")
			eventually(t, 5*time.Second, func() string {
				if s.users.Counts().ByVersion["v2"] == 0 {
					return "nobody has met v2 yet"
				}
				return ""
			})
			second := s.deploy("v11")
			first.want(7)
			second.want(0)
			s.whole("v11")
			s.neverMixed("v2", "v11")
			s.neverThree()
		})
	}
}

// TestBlueGreenPreview shows the new version under a host of its own while a person decides, and never after.
func TestBlueGreenPreview(t *testing.T) {
	t.Run("host", func(t *testing.T) {
		t.Parallel()
		s := open(t, layout{strategy: "{blueGreen: {preview: {host: preview.@HOST@}, approve: {message: Have a look}, keepOld: 3s, drain: 1s}}"})
		s.deploy("v2").want(4)
		eventually(t, 5*time.Second, func() string {
			if status, version := s.visit("preview."+s.host, nil); status != http.StatusOK || version != "v2" {
				return fmt.Sprintf("the preview answers %d by %q", status, version)
			}
			return ""
		})
		s.neverMet("v2")
		p := s.start("promote")
		for over := false; !over; time.Sleep(100 * time.Millisecond) {
			select {
			case <-p.done:
				over = true
			default:
			}
			if met := s.users.Counts().ByVersion["v2"]; met > 0 {
				if status, version := s.visit("preview."+s.host, nil); version != "" {
					t.Errorf("the preview answers %d by %s after the switch", status, version)
					break
				}
			}
		}
		p.want(0)
		s.whole("v2")
	})
	t.Run("Service", func(t *testing.T) {
		t.Parallel()
		s := open(t, layout{routeless: true, strategy: "{blueGreen: {preview: {service: checkout-preview}, approve: {message: Have a look}, keepOld: 3s, drain: 1s}}"})
		s.deploy("v2").want(4)
		preview := s.get(services, "checkout-preview")
		if preview == nil {
			t.Fatal("there is no Service checkout-preview")
		}
		var selector []string
		for key, value := range nested(preview, "spec", "selector").(map[string]any) {
			selector = append(selector, fmt.Sprintf("%s=%s", key, value))
		}
		chosen := s.list(pods, strings.Join(selector, ","))
		for _, p := range chosen {
			if imageOf(&p) != image("v2") {
				t.Errorf("the preview selects %s with %s", p.GetName(), imageOf(&p))
			}
		}
		if len(chosen) != size {
			t.Errorf("the preview selects %d pods, want %d", len(chosen), size)
		}
		s.neverMet("v2")
		s.run(0, "promote")
		s.whole("v2")
		if s.get(services, "checkout-preview") != nil {
			t.Error("the Service checkout-preview is left")
		}
	})
}
