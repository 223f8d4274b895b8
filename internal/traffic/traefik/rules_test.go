package traefik

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
)

// among are rules of the user's over the same requests, told apart by priority only.
type among struct {
	query    string // "" matches all
	priority int
	service  string // "" is the TraefikService
}

func (a among) text() string {
	match, to := "PathPrefix(`/`)", "kind: TraefikService, name: checkout"
	if a.query != "" {
		match += " && Query(`" + a.query + "`, `1`)"
	}
	if a.service != "" {
		to = "name: " + a.service + ", port: 80"
	}
	return fmt.Sprintf("{match: '%s', priority: %d, services: [{%s}]}", match, a.priority, to)
}

// Whatever rules there are, each request comes to the rule that it comes to today, and where that one is steered, to the side that is
// right for it. Rules that tie are left out, since Traefik does not say who wins.
func TestPrecedenceIsKept(t *testing.T) {
	draw := rand.New(rand.NewPCG(3, 4))
	ring := []plan.Match{{Header: "X-Staff", Value: "1"}}
	compared := 0
	for range 60 {
		rules := randomRules(draw)
		var first, second []string
		for i, r := range rules {
			if i%3 == 2 && r.service != "" {
				second = append(second, r.text())
			} else {
				first = append(first, r.text())
			}
		}
		s := open(t, plainService, strings.Join(first, ", "), strings.Join(second, ", "))
		s.ready["o1"], s.ready["o2"] = true, true
		for _, sp := range []plan.Split{{Ring: ring}, {Ring: ring, Cohorts: cohorts(0, "r")}} {
			s.objects, s.to = s.objects[:3], between()
			if err := s.begin(sp); err != nil {
				t.Fatal(err)
			}
			s.set(sp)
			g := s.gateway()
			for _, target := range []string{"", "?a=1", "?b=1", "?a=1&b=1", "?a=1&b=1&c=1"} {
				winner, clear := winnerOf(rules, target)
				if !clear {
					continue
				}
				compared++
				side := map[bool]string{true: "checkout-candidate", false: "checkout"}
				for staff, header := range map[bool]string{true: "1", false: "0"} {
					if got, _ := ask(g, page+target, "X-Staff", header); got != cmp.Or(winner.service, side[staff]) {
						t.Fatalf("%s: %q with X-Staff: %s came to %s, today to %+v; rules %+v", sp, target, header, got, winner, rules)
					}
				}
			}
			s.restore()
		}
	}
	if compared < 100 {
		t.Errorf("only %d requests were compared", compared)
	}
}

func randomRules(draw *rand.Rand) []among {
	rules := []among{{priority: 1 + draw.IntN(5)}}
	for range 1 + draw.IntN(5) {
		rules = append(rules, among{[]string{"", "a", "b", "c"}[draw.IntN(4)], 1 + draw.IntN(6), []string{"", "o1", "o2"}[draw.IntN(3)]})
	}
	return rules
}

func winnerOf(rules []among, target string) (winner among, clear bool) {
	for _, r := range rules {
		if r.query != "" && !strings.Contains(target, r.query+"=1") {
			continue
		}
		switch {
		case r.priority > winner.priority:
			winner, clear = r, true
		case r.priority == winner.priority && r.service != winner.service:
			clear = false
		}
	}
	return winner, clear
}

// summary is what is written into an IngressRoute of ours.
func summary(o *unstructured.Unstructured) string {
	var lines []string
	for _, r := range listAt(o.Object, "spec", "routes") {
		var to []string
		for _, e := range listAt(r, "services") {
			to = append(to, fmt.Sprintf("%s%v", text(e, "name"), e["weight"]))
		}
		lines = append(lines, fmt.Sprintf("%v %s > %s", r["priority"], text(r, "match"), strings.ReplaceAll(strings.Join(to, ","), "<nil>", "")))
	}
	return strings.Join(lines, "\n")
}

func TestRules(t *testing.T) {
	ring := []plan.Match{{Header: "X-Staff", Value: "1"}}
	reached := regexp.MustCompile(`(?m)checkout-candidate\d*(,|$)`)
	value := func(i int) string { return cookieValue("shop", cohortName(between(), i)) }
	for _, tc := range []struct {
		name, service, route string
		split                plan.Split
		want                 string
	}{
		{"a ring", plainService, "{match: PathPrefix(`/a`), middlewares: [{name: auth}], services: [{kind: TraefikService, name: checkout}]}", plan.Split{Ring: ring},
			"17 (PathPrefix(`/a`)) && (Header(`X-Staff`, `1`)) > checkout-candidate"},
		{"a priority, and two services", plainService, "{match: PathPrefix(`/a`), priority: 40, services: [{kind: TraefikService, name: checkout, weight: 3}, {name: old, port: 80, weight: 1}]}", plan.Split{Ring: ring},
			"41 (PathPrefix(`/a`)) && (Header(`X-Staff`, `1`)) > checkout-candidate3,old1"},
		{"others in the TraefikService", "{weighted: {services: [{name: old, port: 80, weight: 4}, {name: checkout, port: 80, weight: 1}]}}", "{match: PathPrefix(`/a`), services: [{kind: TraefikService, name: checkout}]}", plan.Split{Ring: ring},
			"17 (PathPrefix(`/a`)) && (Header(`X-Staff`, `1`)) > old4,checkout-candidate1"},
		{"nobody yet", plainService, "{match: PathPrefix(`/a`), services: [{kind: TraefikService, name: checkout}]}", plan.Split{Cohorts: cohorts(0, "r")},
			"17 (PathPrefix(`/a`)) > checkout-candidate-draw"},
		{"ring and cohorts", plainService, "{match: PathPrefix(`/a`), services: [{kind: TraefikService, name: checkout}]}", plan.Split{Ring: ring, Cohorts: cohorts(2, "r")},
			"17 (PathPrefix(`/a`)) && ((Header(`X-Staff`, `1`)) || HeaderRegexp(`Cookie`, `^(.*;[ ]*)?tidegate-checkout-r=(" + value(1) + "|" + value(2) + ")([ ]*;.*)?$`)) > checkout-candidate\n" +
				"17 (PathPrefix(`/a`)) && !((Header(`X-Staff`, `1`)) || HeaderRegexp(`Cookie`, `^(.*;[ ]*)?tidegate-checkout-r=(" + value(1) + "|" + value(2) + ")([ ]*;.*)?$`)) > checkout-candidate-draw"},
		{"a rule that would be overtaken, and one that would not", plainService, "{match: PathPrefix(`/a`), services: [{kind: TraefikService, name: checkout}]}, " +
			"{match: PathPrefix(`/ab`), services: [{name: old, port: 80}]}, {match: PathPrefix(`/abc`), services: [{name: old, port: 81}]}, {match: PathPrefix(`/abcde`), services: [{name: far, port: 80}]}", plan.Split{Ring: ring},
			"17 (PathPrefix(`/a`)) && (Header(`X-Staff`, `1`)) > checkout-candidate\n18 (PathPrefix(`/ab`)) && (Header(`X-Staff`, `1`)) > old\n19 (PathPrefix(`/abc`)) && (Header(`X-Staff`, `1`)) > old"},
		{"full share", plainService, "{match: PathPrefix(`/a`), services: [{kind: TraefikService, name: checkout}]}", plan.Split{Ring: ring, Cohorts: cohorts(4, "r"), Weight: plan.All}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := open(t, tc.service, strings.ReplaceAll(strings.ReplaceAll(tc.route, "match: ", "match: '"), "`)", "`)'"))
			if err := s.begin(tc.split); err != nil {
				t.Fatal(err)
			}
			s.set(tc.split)
			own := s.objects[len(s.objects)-1]
			if got := summary(own); got != tc.want {
				t.Errorf("got\n%s\nwant\n%s", got, tc.want)
			}
			if got := (Kind{}).Reaches(own.Object, s.to); got != reached.MatchString(tc.want) {
				t.Errorf("that it reaches the candidate is said to be %v", got)
			}
		})
	}
}

func TestMadeObjects(t *testing.T) {
	s := open(t, plainService, plainRoute)
	web := s.objects[1]
	web.SetLabels(map[string]string{"team": "pay", "app.kubernetes.io/instance": "argo"})
	web.SetAnnotations(map[string]string{"kubernetes.io/ingress.class": "inner", "note": "x"})
	web.Object["spec"].(map[string]any)["tls"] = map[string]any{"secretName": "cert"}
	other := open(t, plainService, "{match: 'Host(`other`)', services: [{name: old, port: 80}]}").objects[1]
	other.SetName("unconcerned")
	s.objects = append(s.objects, other)
	if err := s.begin(plan.Split{Ring: []plan.Match{{Header: "A", Value: "b"}}, Cohorts: cohorts(0, "")}); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, o := range s.objects[3:] {
		names = append(names, o.GetKind()+"/"+o.GetName())
	}
	want := "TraefikService/checkout-candidate-cohort-1 TraefikService/checkout-candidate-cohort-2 TraefikService/checkout-candidate-cohort-3 " +
		"TraefikService/checkout-candidate-cohort-4 TraefikService/checkout-candidate-draw IngressRoute/checkout-candidate-web-0"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("made %s\nwant %s", got, want)
	}
	if len(s.to.Own) != 2 || s.to.Own[0].Name != "checkout-candidate-draw" {
		t.Errorf("edited are %v", s.to.Own)
	}
	if got := told(s.objects[7]); got != "TraefikService/checkout-candidate-cohort-1:1 TraefikService/checkout-candidate-cohort-2:4 "+
		"TraefikService/checkout-candidate-cohort-3:5 TraefikService/checkout-candidate-cohort-4:10" {
		t.Errorf("the odds are %s", got)
	}
	own := s.objects[8]
	spec := own.Object["spec"].(map[string]any)
	if fmt.Sprint(spec) != "map[entryPoints:[web] routes:[] tls:map[secretName:cert]]" || fmt.Sprint(own.GetLabels()) != "map[team:pay]" ||
		own.GetAnnotations()["kubernetes.io/ingress.class"] != "inner" || own.GetAnnotations()["note"] != "" {
		t.Errorf("made\n%s", write(t, own))
	}
}

func TestWhatCannotBeMade(t *testing.T) {
	ring := plan.Split{Ring: []plan.Match{{Header: "A", Value: "b"}}}
	steered := "{match: 'Host(`a`)', services: [{kind: TraefikService, name: checkout}]}"
	for _, tc := range []struct{ name, service, route, want string }{
		{"no rule", plainService, "{match: 'Host(`a`)', services: [{name: checkout, port: 80}]}", "no IngressRoute of namespace shop sends to TraefikService/checkout"},
		{"the old syntax", plainService, strings.Replace(steered, "{", "{syntax: v2, ", 1), "syntax of Traefik 2"},
		{"the one priority", plainService, strings.Replace(steered, "{", "{priority: -1, ", 1), "priority -1"},
		{"a parent beside it", plainService, strings.Replace(steered, "{", "{priority: 4, ", 1) + ", {match: 'Host(`b`)', priority: 5}", "has other IngressRoutes below it"},
		{"two that divide", "{weighted: {services: [{name: checkout, port: 80}, {name: old, port: 80}]}}",
			"{match: 'Host(`a`)', services: [{kind: TraefikService, name: checkout}, {name: x, port: 80}]}", "let one of them do all"},
		{"a mirror", "{mirroring: {name: checkout, port: 80}}", steered, "no weights to divide"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := open(t, tc.service, tc.route).begin(ring); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}

func TestLostTemplate(t *testing.T) {
	s := open(t, plainService, plainRoute)
	ring := plan.Split{Ring: []plan.Match{{Header: "A", Value: "b"}}}
	if err := s.begin(ring); err != nil {
		t.Fatal(err)
	}
	s.set(ring)
	own := s.objects[2]
	own.SetAnnotations(nil)
	if _, err := (Kind{}).Split(own, s.to, mark, ring); err == nil || !strings.Contains(err.Error(), rulesMark) {
		t.Errorf("the annotation is gone, and the error is %v", err)
	}
	if _, err := (Kind{}).Restore(own, s.to, mark, nil); err != nil || len(listAt(own.Object, "spec", "routes")) > 0 {
		t.Errorf("the way back must not need it: %v\n%s", err, write(t, own))
	}
}

func TestFindings(t *testing.T) {
	s := open(t, "{weighted: {sticky: {cookie: {name: s}}, services: [{name: checkout, port: 80}, {name: old, port: 80}]}}", plainRoute,
		"{match: 'Host(`b`)', services: [{name: checkout, port: 80}]}")
	texts := func(most plan.Split) string {
		var all []string
		for _, p := range (Kind{}).Problems(s.all()[:2], s.all(), s.to, plan.Baseline{}, most) {
			if !p.Warning || p.Remedy == "" {
				t.Errorf("%+v", p)
			}
			all = append(all, p.Object.Name+" "+strings.Join(strings.Fields(p.Text)[:4], " "))
		}
		return strings.Join(all, "; ")
	}
	if got, want := texts(plan.Split{Weight: plan.All}), "checkout it keeps a user; checkout it sends to others; checkout while no pod of; web-1 it sends to Service"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got, want := texts(plan.Split{Mirror: plan.All}), "web-1 it sends to Service"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	native := entriesOf(s.objects[0].Object)
	native[0]["nativeLB"] = true
	if got := texts(plan.Split{Weight: plan.All}); strings.Contains(got, "while no pod") {
		t.Errorf("by its own address a Service needs no pod: %s", got)
	}
}

func TestFindSkipsOurOwn(t *testing.T) {
	s := open(t, plainService, plainRoute)
	ring := plan.Split{Ring: []plan.Match{{Header: "A", Value: "b"}}, Cohorts: cohorts(0, "r")}
	if err := s.begin(ring); err != nil {
		t.Fatal(err)
	}
	s.set(ring)
	found, err := Kind{}.Find(spec.Traffic{}, s.all()[:1], s.all())
	if err != nil || len(found) != 1 || plan.RefOf(found[0]).Name != "web-0" {
		t.Errorf("found %v, %v", found, err)
	}
	if slices.ContainsFunc((Kind{}).Lists(spec.Traffic{}), func(r plan.Ref) bool { return r.Kind != kindRoute }) {
		t.Error("only IngressRoutes are read beside")
	}
}
