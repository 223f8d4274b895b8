package traefik

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
	"github.com/tidegate/tidegate/internal/sandbox/gateway"
	"github.com/tidegate/tidegate/internal/spec"
)

// shop is a namespace whose Services have one pod each, which answers with its name, and the objects that divide them.
type shop struct {
	t       *testing.T
	to      plan.Traffic
	objects []*unstructured.Unstructured // the user's, then ours
	ready   map[string]bool
	end     func()       // of the latest gateway and of the copies that it sends
	copied  atomic.Int64 // mirrored requests that the candidate had
}

const (
	plainService = "{weighted: {services: [{name: checkout, port: 80}]}}"
	plainRoute   = "{match: 'Host(`shop.example`)', kind: Rule, services: [{kind: TraefikService, name: checkout}]}"
)

func open(t *testing.T, spec string, routes ...string) *shop {
	t.Helper()
	s := &shop{t: t, to: between(), ready: map[string]bool{"checkout": true, "checkout-candidate": true, "other": true}}
	s.objects = append(s.objects, service(t, spec))
	for i, rules := range routes {
		s.objects = append(s.objects, read(t, fmt.Sprintf("{apiVersion: %s, kind: IngressRoute, metadata: {name: web-%d, namespace: shop}, spec: {entryPoints: [web], routes: [%s]}}", Version, i, rules)))
	}
	return s
}

// begin finds and makes what a rollout needs.
func (s *shop) begin(most plan.Split) error {
	all := s.all()
	further, err := Kind{}.Find(spec.Traffic{}, all[:1], all)
	if err != nil {
		return err
	}
	routes := append(all[:1:1], further...)
	for _, o := range further {
		s.to.Routes = append(s.to.Routes, plan.RefOf(o))
	}
	made, err := Kind{}.Make(&s.to, plan.Baseline{Routes: routes}, most)
	for _, o := range made {
		s.objects = append(s.objects, &unstructured.Unstructured{Object: o})
	}
	return err
}

func (s *shop) all() []plan.Object {
	var all []plan.Object
	for _, o := range s.objects {
		all = append(all, o.Object)
	}
	return all
}

// each visits the objects that are edited in the order in which a driver writes them.
func (s *shop) each(visit func(o *unstructured.Unstructured)) {
	for _, ref := range slices.Concat(s.to.Routes, s.to.Own) {
		i := slices.IndexFunc(s.objects, func(o *unstructured.Unstructured) bool { return plan.RefOf(o.Object) == ref })
		visit(s.objects[i])
	}
}

func (s *shop) set(sp plan.Split) {
	s.t.Helper()
	s.each(func(o *unstructured.Unstructured) { split(s.t, o, s.to, sp) })
}

func (s *shop) restore() {
	s.t.Helper()
	s.each(func(o *unstructured.Unstructured) { back(s.t, o, s.to, nil) })
}

// gateway serves the objects as they are now.
func (s *shop) gateway() *gateway.Gateway {
	s.t.Helper()
	server := apiserver.New(apiserver.Options{})
	create := func(group, version, plural string, o map[string]any) {
		if _, err := server.Create(schema.GroupVersionResource{Group: group, Version: version, Resource: plural}, o); err != nil {
			s.t.Fatal(err)
		}
	}
	create("", "v1", "namespaces", map[string]any{"metadata": map[string]any{"name": "shop"}})
	for name, ready := range s.ready {
		create("", "v1", "services", read(s.t, "{metadata: {name: "+name+", namespace: shop}, spec: {ports: [{port: 80}]}}").Object)
		create("discovery.k8s.io", "v1", "endpointslices", read(s.t, fmt.Sprintf("{metadata: {name: %s, namespace: shop, labels: {kubernetes.io/service-name: %s}}, "+
			"endpoints: [{addresses: [%s], conditions: {ready: %v}}]}", name, name, name, ready)).Object)
	}
	for _, o := range s.objects {
		create("traefik.io", "v1alpha1", strings.ToLower(o.GetKind())+"s", o.DeepCopy().Object)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.t.Context()))
	g := gateway.Start(ctx, server, gateway.Options{Clock: clock.Real{}, Delay: time.Millisecond, Dial: func(ip string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-Mirrored") != "" && ip == "checkout-candidate" {
				s.copied.Add(1)
			}
			http.SetCookie(w, &http.Cookie{Name: "session", Value: "app"})
			_, _ = io.WriteString(w, ip)
		})
	}})
	s.end = func() {
		cancel()
		g.Wait()
	}
	s.t.Cleanup(func() {
		cancel()
		g.Wait()
		server.Close()
	})
	return g
}

func ask(g http.Handler, target string, header ...string) (string, []*http.Cookie) {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		return fmt.Sprint(w.Code), nil
	}
	return w.Body.String(), w.Result().Cookies()
}

func expect(t *testing.T, g http.Handler, want, target string, header ...string) {
	t.Helper()
	if got, _ := ask(g, target, header...); got != want {
		t.Errorf("%s %v came to %s, want %s", target, header, got, want)
	}
}

const page = "http://shop.example/"

func TestRing(t *testing.T) {
	ring := []plan.Match{{Header: "X-Staff", Value: "a`b"}, {Cookie: "staff", Value: "1.5"}}
	s := open(t, plainService, plainRoute+", {match: 'Host(`shop.example`) && Query(`v`, `2`)', services: [{name: other, port: 80}]}")
	was := s.snapshot()
	if err := s.begin(plan.Split{Ring: ring, Weight: plan.All}); err != nil {
		t.Fatal(err)
	}
	expect(t, s.gateway(), "checkout", page, "X-Staff", "a`b", "Cookie", "staff=1.5")
	s.set(plan.Split{Ring: ring})
	g := s.gateway()
	expect(t, g, "checkout-candidate", page, "X-Staff", "a`b", "Cookie", "x=y; staff=1.5; z=1")
	expect(t, g, "checkout", page, "X-Staff", "a`b")
	expect(t, g, "checkout", page, "Cookie", "staff=1.5")
	expect(t, g, "checkout", page, "X-Staff", "a`b", "Cookie", "staff=125")
	expect(t, g, "checkout", page, "X-Staff", "a`b", "Cookie", "xstaff=1.5")
	expect(t, g, "other", page+"?v=2", "X-Staff", "a`b", "Cookie", "staff=1.5")
	expect(t, g, "404", "http://elsewhere.example/", "X-Staff", "a`b", "Cookie", "staff=1.5")
	s.set(plan.Split{Ring: ring, Weight: plan.All})
	expect(t, s.gateway(), "checkout-candidate", page)
	s.restore()
	expect(t, s.gateway(), "checkout", page, "X-Staff", "a`b", "Cookie", "staff=1.5")
	if got := s.snapshot(); got != was {
		t.Errorf("restored:\n%s\nwas:\n%s", got, was)
	}
}

// snapshot is the user's objects.
func (s *shop) snapshot() string {
	var text []string
	for _, o := range s.objects {
		if !slices.Contains(s.to.Own, plan.RefOf(o.Object)) && !strings.HasPrefix(o.GetName(), "checkout-candidate-") {
			text = append(text, write(s.t, o))
		}
	}
	return strings.Join(text, "---\n")
}

func cohorts(moved int, draw string) *plan.Cohorts {
	return &plan.Cohorts{Odds: []plan.Share{5 * plan.OnePercent, 20 * plan.OnePercent, 25 * plan.OnePercent, 50 * plan.OnePercent}, Moved: moved, Draw: draw,
		Cookie: plan.Cookie{Name: "tidegate-checkout", Path: "/", Domain: "shop.example", MaxAge: plan.Duration(time.Hour), SameSite: "Lax", Secure: true}}
}

// Users are drawn by the odds, by answers of the base that keep the app's own cookie; then each cohort moves in its step, and once.
func TestCohorts(t *testing.T) {
	for _, draw := range []string{"20260101-a.b", "r/1"} {
		s := open(t, plainService, plainRoute)
		was := s.snapshot()
		if err := s.begin(plan.Split{Weight: plan.All, Cohorts: cohorts(0, "")}); err != nil {
			t.Fatal(err)
		}
		s.set(plan.Split{Cohorts: cohorts(0, draw)})
		if s.snapshot() != was {
			t.Error("cohorts need no change of the user's objects")
		}
		users := drawUsers(t, s, 4000)
		for moved, share := range []plan.Share{0, 5, 25, 50} {
			s.set(plan.Split{Cohorts: cohorts(moved, draw), Weight: share * plan.OnePercent})
			if got := usersMoved(s.objects[len(s.objects)-1].Object); got != share*plan.OnePercent {
				t.Errorf("the share of users is said to be %s, not %d%%", got, int(share))
			}
			g, at := s.gateway(), 0
			for _, user := range users {
				version, set := ask(g, page, "Cookie", "a=b; "+user)
				if len(set) != 1 {
					t.Fatalf("a user who has a cohort was given %v", set)
				}
				if version == "checkout-candidate" {
					at++
				}
			}
			if want := 40 * int(share); at < want-170 || at > want+170 {
				t.Errorf("with %d cohorts moved %d of 4000 users were with the candidate, want about %d", moved, at, want)
			}
			expect(t, g, "checkout", page)
			expect(t, g, "checkout", page, "Cookie", strings.Replace(users[0], "=", "-of-another=", 1))
		}
		s.set(plan.Split{Cohorts: cohorts(4, draw), Weight: plan.All})
		g := s.gateway()
		expect(t, g, "checkout-candidate", page)
		expect(t, g, "checkout-candidate", page, "Cookie", users[0])
		s.restore()
		if got := s.snapshot(); got != was {
			t.Errorf("restored:\n%s\nwas:\n%s", got, was)
		}
	}
}

// drawUsers gives the cookies of new users, none of whom met the candidate.
func drawUsers(t *testing.T, s *shop, n int) []string {
	t.Helper()
	g, count := s.gateway(), map[string]int{}
	var users []string
	for range n {
		version, set := ask(g, page)
		if version != "checkout" || len(set) != 2 {
			t.Fatalf("a draw was answered by %s with the cookies %v; the base has to, with the app's and that of the cohort", version, set)
		}
		for _, c := range set {
			if c.Name != "session" {
				if c.Path != "/" || c.Domain != "shop.example" || c.MaxAge != 3600 || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode {
					t.Fatalf("the cookie is %s", c)
				}
				users = append(users, c.Name+"="+c.Value)
				count[c.Value]++
			}
		}
	}
	if len(count) != 4 {
		t.Errorf("%d cohorts were drawn", len(count))
	}
	return users
}

// At every moment of a way there and back, object by object as a driver writes them, each request finds an answer, and nobody
// whose cohort has not moved meets the candidate before the full share.
func TestHalfWrittenSplits(t *testing.T) {
	s := open(t, plainService, plainRoute)
	if err := s.begin(plan.Split{Weight: plan.All, Cohorts: cohorts(0, "")}); err != nil {
		t.Fatal(err)
	}
	s.set(plan.Split{Cohorts: cohorts(0, "r")})
	of := map[string]string{}
	for _, user := range drawUsers(t, s, 300) {
		_, value, _ := strings.Cut(user, "=")
		of[value] = user
	}
	last := of[strings.Split(cookieValue("shop", cohortName(s.to, 4)), "|")[0]]
	check := func(when string, all bool) {
		g := s.gateway()
		for _, user := range append([]string{"x=y"}, last) {
			if got, _ := ask(g, page, "Cookie", user); got != "checkout" && (!all || got != "checkout-candidate") {
				t.Errorf("%s: %s came to %s", when, user, got)
			}
		}
	}
	for _, step := range []plan.Split{{Cohorts: cohorts(1, "r"), Weight: 5 * plan.OnePercent}, {Cohorts: cohorts(3, "r"), Weight: 50 * plan.OnePercent}, {Cohorts: cohorts(4, "r"), Weight: plan.All}} {
		s.each(func(o *unstructured.Unstructured) {
			split(t, o, s.to, step)
			check(step.String()+" after "+o.GetName(), step.Weight == plan.All)
		})
	}
	for _, from := range []plan.Split{{Cohorts: cohorts(3, "r"), Weight: 50 * plan.OnePercent}, {Weight: 30 * plan.OnePercent}} {
		s.restore()
		s.set(from)
		s.each(func(o *unstructured.Unstructured) {
			back(t, o, s.to, nil)
			check("back after "+o.GetName(), false)
		})
	}
}

// A candidate without a ready pod costs users who were moved nothing: Traefik drops the rule, and the user's own takes them.
func TestMovedUsersOfADeadCandidate(t *testing.T) {
	s := open(t, plainService, plainRoute)
	ring := []plan.Match{{Header: "X-Staff", Value: "1"}}
	if err := s.begin(plan.Split{Ring: ring, Cohorts: cohorts(0, ""), Weight: plan.All}); err != nil {
		t.Fatal(err)
	}
	s.set(plan.Split{Ring: ring, Cohorts: cohorts(1, "r"), Weight: 5 * plan.OnePercent})
	expect(t, s.gateway(), "checkout-candidate", page, "X-Staff", "1")
	s.ready["checkout-candidate"] = false
	expect(t, s.gateway(), "checkout", page, "X-Staff", "1")
	s.restore()
	s.set(plan.Split{Weight: 5 * plan.OnePercent})
	expect(t, s.gateway(), "404", page) // which is what the finding warns of
}

func TestRequestsAreCopied(t *testing.T) {
	for _, spec := range []string{plainService, "{weighted: {services: [{name: checkout, port: 80, weight: 3}, {name: checkout-two, port: 80, weight: 0}]}}", "{mirroring: {name: checkout, port: 80}}"} {
		s := open(t, spec, plainRoute)
		s.ready["checkout-two"] = true
		was := s.snapshot()
		if err := s.begin(plan.Split{Mirror: 25 * plan.OnePercent}); err != nil {
			t.Fatal(err)
		}
		s.set(plan.Split{Mirror: 25 * plan.OnePercent})
		s.copies(t, 25)
		s.ready["checkout-candidate"] = false
		expect(t, s.gateway(), "checkout", page) // a shadow without pods costs nothing
		s.restore()
		s.copies(t, 0)
		if got := s.snapshot(); got != was {
			t.Errorf("restored:\n%s\nwas:\n%s", got, was)
		}
	}
}

func (s *shop) copies(t *testing.T, percent int64) {
	t.Helper()
	s.copied.Store(0)
	g := s.gateway()
	for range 1000 {
		expect(t, g, "checkout", page)
	}
	s.end()
	if got := s.copied.Load(); got < 10*percent-min(10*percent, 60) || got > 10*percent+6*percent/2 {
		t.Errorf("%d of 1000 requests were copied, want about %d", got, 10*percent)
	}
}
