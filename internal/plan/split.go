package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Split is how requests are divided between the base and the candidate.
type Split struct {
	// Weight of the requests that no other part speaks of goes to the candidate. With Cohorts it is the share of users who
	// have been moved, which All ends: then every request goes to the candidate, whatever it carries.
	Weight Share
	Ring   []Match // who has all of these goes to the candidate; nobody when empty
	// Cohorts, if set, are the groups of users who move together; requests of no group stay with the base.
	Cohorts *Cohorts
	// Mirror of the requests are copied to the candidate, whose answers nobody sees.
	Mirror Share
}

// Nothing tells that every request goes to the base, and to nobody else.
func (s Split) Nothing() bool {
	return s.Weight == 0 && len(s.Ring) == 0 && s.Cohorts == nil && s.Mirror == 0
}

// String is the split as something to do, in a person's words.
func (s Split) String() string {
	switch {
	case s.Nothing():
		return "send every request to the base, the route as the user wrote it"
	case s.Mirror > 0:
		return fmt.Sprintf("copy %s of the requests to the candidate, whose answers nobody sees", s.Mirror)
	case s.Cohorts != nil && s.Weight == 0 && len(s.Ring) == 0:
		return "give every user a cohort, and keep all of them with the base"
	case s.Cohorts != nil && len(s.Ring) == 0:
		return fmt.Sprintf("send %s of the users to the candidate, each of them with all requests", s.Weight)
	case s.Cohorts != nil && s.Weight > 0:
		return fmt.Sprintf("send %s of the users to the candidate, each of them with all requests, and requests with %s", s.Weight, RingText(s.Ring))
	case len(s.Ring) == 0:
		return fmt.Sprintf("send %s of the requests to the candidate", s.Weight)
	case s.Weight == 0:
		return fmt.Sprintf("send requests with %s to the candidate, and no other", RingText(s.Ring))
	}
	return fmt.Sprintf("send %s of the requests to the candidate, and those with %s", s.Weight, RingText(s.Ring))
}

// Cohorts are groups of users who move from the base to the candidate together, so that each user sees one version until the
// step that moves them, and moves once. A user is drawn into a group by the first answer, which the base gives, and is known
// by a cookie from then on. The draw never routes: of a browser's first requests, which are parallel, each would be
// another draw.
type Cohorts struct {
	// Odds are the shares of users by group, in the order in which they move; together they are All.
	Odds []Share `json:"odds"`
	// Moved is how many of the groups, from the first on, are with the candidate.
	Moved  int    `json:"moved"`
	Cookie Cookie `json:"cookie"`
	// Draw names the draw by which users got their group; cookies of another one are drawn again. It is the rollout's ID, and
	// set only when the op is applied.
	Draw string `json:"draw,omitempty"`
}

// Cookie is how the cookie of a user's cohort is set.
type Cookie struct {
	Name     string   `json:"name"`
	Path     string   `json:"path"`
	Domain   string   `json:"domain,omitempty"`
	MaxAge   Duration `json:"maxAge"`
	SameSite string   `json:"sameSite,omitempty"` // Lax, Strict or None
	Secure   bool     `json:"secure,omitempty"`
}

// Value is the cookie's value for the users of group i, counted from 1.
func (c Cohorts) Value(i int) string { return fmt.Sprintf("%s.%d", c.Draw, i) }

// SetCookie is the header value by which a user of group i is known from then on. It says nothing about the user, and no
// script needs to read it.
func (c Cohorts) SetCookie(i int) string {
	k := c.Cookie
	parts := []string{k.Name + "=" + c.Value(i), "Path=" + k.Path}
	if k.Domain != "" {
		parts = append(parts, "Domain="+k.Domain)
	}
	parts = append(parts, fmt.Sprintf("Max-Age=%d", int(time.Duration(k.MaxAge).Seconds())), "HttpOnly")
	if k.Secure {
		parts = append(parts, "Secure")
	}
	if k.SameSite != "" {
		parts = append(parts, "SameSite="+k.SameSite)
	}
	return strings.Join(parts, "; ")
}

// Sticky tells that the plan's shares are shares of users, each of whom stays with one version until a step moves them, and
// not of requests.
func (p Plan) Sticky() bool {
	for _, step := range p.Steps {
		for _, op := range step.Do {
			if op.Cohorts != nil {
				return true
			}
		}
	}
	return false
}

// Of is what the plan's shares are shares of: users or requests.
func (p Plan) Of() string {
	if p.Sticky() {
		return "users"
	}
	return "requests"
}

// Drawn are the cohorts under the name of a draw.
func (c Cohorts) Drawn(draw string) *Cohorts {
	c.Odds, c.Draw = slices.Clone(c.Odds), draw
	return &c
}

// Match is an attribute of a request: exactly one of Header and Cookie is set, and its value is Value.
type Match struct {
	Header string `json:"header,omitempty"`
	Cookie string `json:"cookie,omitempty"`
	Value  string `json:"value"`
}

// String is the attribute as people write it: X-Staff: 1, or the cookie staff=1.
func (m Match) String() string {
	if m.Cookie != "" {
		return "the cookie " + m.Cookie + "=" + m.Value
	}
	return m.Header + ": " + m.Value
}

// RingText names what requests of a ring have.
func RingText(ring []Match) string {
	all := make([]string, len(ring))
	for i, m := range ring {
		all[i] = m.String()
	}
	return strings.Join(all, " and ")
}

// Ring is who meets the new version once step i is in force, beside its weight; empty for nobody in particular.
func (p Plan) Ring(i int) []Match {
	var ring []Match
	for _, step := range p.Steps[:min(i+1, len(p.Steps))] {
		for _, op := range step.Do {
			if op.Kind == SetSplit {
				ring = op.Ring
			}
		}
	}
	return ring
}
