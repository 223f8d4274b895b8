package canary

import (
	"errors"
	"fmt"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
)

// cohorts are the groups in which a sticky canary's users move: one for what each step adds, and a last one, of those who
// stay with the base until everybody has left it. It is nil without `sticky`, and where all users move at once.
func cohorts(d spec.Deploy, conf spec.Canary, weights []spec.Step) (*plan.Cohorts, error) {
	if conf.Sticky == nil {
		return nil, nil //nolint:nilnil // no groups are no mistake
	}
	if conf.Sticky.Cookie == nil {
		return nil, errors.New("spec.strategy.canary.sticky.header: this version of Tidegate has no router that divides requests by the hash of a header; " +
			"use a cookie, sticky: true")
	}
	if plan.Share(weights[0].Weight) == plan.All {
		return nil, nil //nolint:nilnil // no groups are no mistake
	}
	k := conf.Sticky.Cookie
	groups := &plan.Cohorts{Cookie: plan.Cookie{Name: k.NameFor(d.Metadata.Name), Path: k.Path, Domain: k.Domain,
		MaxAge: plan.Duration(k.MaxAge), SameSite: k.SameSite, Secure: k.Secure}}
	var reached plan.Share
	for _, s := range weights {
		groups.Odds = append(groups.Odds, plan.Share(s.Weight)-reached)
		reached = plan.Share(s.Weight)
	}
	if reached < plan.All {
		groups.Odds = append(groups.Odds, plan.All-reached)
	}
	return groups, nil
}

// moved are the cohorts once the first n of them are with the candidate.
func (c compiler) moved(n int) *plan.Cohorts {
	if c.cohorts == nil {
		return nil
	}
	now := *c.cohorts
	now.Moved = n
	return &now
}

// moves says what a step with a weight does.
func (c compiler) moves(weight plan.Share) string {
	if c.cohorts == nil {
		return fmt.Sprintf("send %s of the requests to the new version", weight)
	}
	return fmt.Sprintf("send %s of the users to the new version, each of them with all requests", weight)
}

// stickyNotes say what users meet, and who cannot be kept on one version.
func (c compiler) stickyNotes() []string {
	if c.conf.Sticky == nil {
		return nil
	}
	if c.cohorts == nil {
		return []string{"No share is less than 100%: every user moves at once, and nobody gets a cookie (sticky)."}
	}
	k := c.cohorts.Cookie
	notes := []string{
		fmt.Sprintf("The shares are shares of users (sticky). Each sees one version until the step that moves them, and moves once; only the way back "+
			"moves everybody again. A user is known by the cookie %s, for %s.", k.Name, c.conf.Sticky.Cookie.MaxAge),
		"A user's first answer always comes from the base. It carries the cookie, which counts from the next request on. No shared cache may keep such an answer.",
		"Who keeps no cookies stays with the base until 100%: most API clients, gRPC clients, probes, and browsers that refuse them.",
	}
	if k.SameSite != "None" {
		notes = append(notes, fmt.Sprintf("From a page of another site a browser does not send the cookie with scripts, frames or images (SameSite=%s): such requests "+
			"stay with the base until 100%%.", k.SameSite))
	}
	return notes
}
