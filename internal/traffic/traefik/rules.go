package traefik

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/traffic"
)

// template is what the rules of an IngressRoute of ours are made of. It stands in its annotation, for the user's may be gone.
type template struct {
	Service string `json:"service"` // the user's TraefikService
	// Candidate is what that TraefikService sends to, with the candidate in the base's place.
	Candidate []map[string]any `json:"candidate"`
	Draw      string           `json:"draw"`
	// Values are the cookie's values, as an expression, by cohort.
	Values []string `json:"values,omitempty"`
	Rules  []rule   `json:"rules"`
	// Moved is the share of the users whom the rules send to the candidate.
	Moved plan.Share `json:"moved,omitempty"`
}

func readTemplate(o plan.Object) (template, error) {
	var m template
	value, _ := mapAt(o, "metadata", "annotations")[rulesMark].(string)
	if err := json.Unmarshal([]byte(value), &m); err != nil {
		return m, fmt.Errorf("%s: the annotation %s holds what its rules are made of, and is not there as it was written: %w; "+
			"abort the rollout and deploy again", plan.RefOf(o), rulesMark, err)
	}
	for i := range m.Rules {
		m.Rules[i].Route = plan.Whole(m.Rules[i].Route)
	}
	for i := range m.Candidate {
		m.Candidate[i] = plan.Whole(m.Candidate[i])
	}
	return m, nil
}

func (m template) write(o *unstructured.Unstructured) error {
	return traffic.Remember(o, rulesMark, &m)
}

// splitRules edits an IngressRoute of ours. At full share the TraefikService sends everybody to the candidate.
func splitRules(o *unstructured.Unstructured, s plan.Split) (bool, error) {
	m, err := readTemplate(o.Object)
	if err != nil {
		return false, err
	}
	was := plan.Digest(o.Object)
	m.Moved = 0
	var rules []map[string]any
	if s.Weight < plan.All && s.Mirror == 0 {
		rules = m.rules(s)
		if s.Cohorts != nil {
			m.Moved = s.Weight
		}
	}
	if err := set(o, rules, "spec", "routes"); err != nil {
		return false, err
	}
	if err := m.write(o); err != nil {
		return false, err
	}
	return plan.Digest(o.Object) != was, nil
}

// withoutRules leaves an IngressRoute of ours empty, whatever became of its annotation.
func withoutRules(o *unstructured.Unstructured) (bool, error) {
	if len(listAt(o.Object, "spec", "routes")) == 0 {
		return false, nil
	}
	return true, set(o, nil, "spec", "routes")
}

// usersMoved is the share of the users whom an IngressRoute of ours sends to the candidate.
func usersMoved(o plan.Object) plan.Share {
	if m, err := readTemplate(o); err == nil && len(listAt(o, "spec", "routes")) > 0 {
		return m.Moved
	}
	return 0
}

// rules are ours for a split: the two of a user's rule exclude each other.
func (m template) rules(s plan.Split) []map[string]any {
	chosen := m.chosen(s)
	var all []map[string]any
	for _, r := range m.Rules {
		match := "(" + text(r.Route, "match") + ")"
		if !r.Steered {
			if s.Cohorts == nil && chosen != "" {
				match += " && (" + chosen + ")"
			}
			if s.Cohorts != nil || chosen != "" {
				all = append(all, r.again(match, listAt(r.Route, "services")))
			}
			continue
		}
		if chosen != "" {
			all = append(all, r.again(match+" && ("+chosen+")", m.services(r, m.Candidate)))
		}
		if s.Cohorts == nil {
			continue
		}
		if chosen != "" {
			match += " && !(" + chosen + ")"
		}
		all = append(all, r.again(match, m.services(r, []map[string]any{{"kind": kindService, "name": m.Draw}})))
	}
	return all
}

// again is a rule with another expression and other services, one higher.
func (r rule) again(match string, services []map[string]any) map[string]any {
	route := maps.Clone(r.Route)
	list := make([]any, len(services))
	for i, e := range services {
		list[i] = e
	}
	route["match"], route["priority"], route["services"] = match, r.Priority+1, list
	return route
}

// services are those of a rule with others in the TraefikService's place, one of which gets its weight.
func (m template) services(r rule, instead []map[string]any) []map[string]any {
	list := listAt(r.Route, "services")
	if len(list) == 1 {
		return instead
	}
	var all []map[string]any
	for _, e := range list {
		if text(e, "kind") == kindService && text(e, "name") == m.Service {
			e = with(instead[0], "weight", e["weight"])
		}
		all = append(all, e)
	}
	return all
}

// chosen is the expression for requests that go to the candidate; "" when there are none.
func (m template) chosen(s plan.Split) string {
	var either []string
	if len(s.Ring) > 0 {
		var every []string
		for _, one := range s.Ring {
			every = append(every, expression(one))
		}
		either = append(either, strings.Join(every, " && "))
	}
	if c := s.Cohorts; c != nil && c.Moved > 0 {
		values := strings.Join(m.Values[:min(c.Moved, len(m.Values))], "|")
		either = append(either, cookieIs(regexp.QuoteMeta(cookieName(*c))+"=("+values+")"))
	}
	if len(either) == 2 {
		return "(" + either[0] + ") || " + either[1]
	}
	return strings.Join(either, "")
}

// expression is the matcher of one attribute.
func expression(m plan.Match) string {
	if m.Cookie != "" {
		return cookieIs(regexp.QuoteMeta(m.Cookie + "=" + m.Value))
	}
	return "Header(" + quoted(m.Header) + ", " + quoted(m.Value) + ")"
}

// cookieIs is the matcher of one cookie among all. Traefik searches, so that both ends are said.
func cookieIs(pair string) string {
	return "HeaderRegexp(`Cookie`, " + quoted("^(.*;[ ]*)?"+pair+"([ ]*;.*)?$") + ")"
}

// quoted is a text as Traefik's rules have it, which are read as Go.
func quoted(s string) string {
	if strconv.CanBackquote(s) {
		return "`" + s + "`"
	}
	return strconv.Quote(s)
}
