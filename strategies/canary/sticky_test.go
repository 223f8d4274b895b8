package canary_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/strategies/canary"
)

// TestCohorts: the groups add up to everybody, each step moves one more, and everything ends without groups.
func TestCohorts(t *testing.T) {
	for _, tc := range []struct{ name, strategy, odds, splits string }{
		{"shares", "{sticky: true, steps: [5%, 25%, 50%]}", "[5% 20% 25% 50%]", "shift-5 5% 1, shift-25 25% 2, shift-50 50% 3, full 100% none, return 0% none"},
		{"to the end", "{sticky: true, steps: [12.5%, 100%]}", "[12.5% 87.5%]", "shift-12.5 12.5% 1, full 100% none, return 0% none"},
		{"a ring", `{sticky: true, internal: {header: {X-Staff: "1"}}, steps: [40%]}`, "[40% 60%]", "internal 0% none, shift-40 40% 1, full 100% none, return 0% none"},
		{"approvals", "{sticky: true, steps: [{approve: {message: Go}}, 30%, {approve: {message: More}}, 60%]}", "[30% 30% 40%]",
			"shift-30 30% 1, shift-60 60% 2, full 100% none, return 0% none"},
		{"at once", "{sticky: true, steps: [100%]}", "", "full 100% none, return 0% none"},
		{"by approval only", "{sticky: true, steps: [{approve: {message: Go}}]}", "", "full 100% none, return 0% none"},
		{"off", "{sticky: false, steps: [50%]}", "", "shift-50 50% none, full 100% none, return 0% none"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := input(t, tc.strategy)
			var most plan.Split
			in.Make = func(_ *plan.Traffic, _ plan.Baseline, s plan.Split) ([]plan.Object, error) {
				most = s
				return nil, nil
			}
			p, err := canary.Strategy{}.Compile(in)
			if err != nil {
				t.Fatal(err)
			}
			odds := ""
			if most.Cohorts != nil {
				odds = fmt.Sprint(most.Cohorts.Odds)
			}
			if odds != tc.odds || most.Weight != plan.All {
				t.Errorf("the router is asked to make what cohorts of %s need, and %s of the requests; want %s", odds, most.Weight, tc.odds)
			}
			if got := splits(t, p, tc.odds); got != tc.splits {
				t.Errorf("splits are\n%s, want\n%s", got, tc.splits)
			}
			if p.Sticky() != (tc.odds != "") || strings.Contains(p.Of(), "users") != p.Sticky() {
				t.Errorf("sticky is %v, shares of %s", p.Sticky(), p.Of())
			}
			for i := range p.Steps {
				for _, op := range p.UndoFrom(i) {
					if op.Cohorts != nil {
						t.Errorf("the way back from %s has groups: %s", p.Steps[i].ID, op)
					}
				}
			}
		})
	}
}

// splits are each step's share and how many groups it has moved.
func splits(t *testing.T, p plan.Plan, odds string) string {
	t.Helper()
	var got []string
	for _, s := range p.Steps {
		for _, op := range s.Do {
			if op.Kind != plan.SetSplit {
				continue
			}
			moved := "none"
			if g := op.Cohorts; g != nil {
				moved = fmt.Sprint(g.Moved)
				var sum plan.Share
				for _, odd := range g.Odds[:g.Moved] {
					sum += odd
				}
				if sum != op.Weight || fmt.Sprint(g.Odds) != odds || g.Draw != "" {
					t.Errorf("%s: %s are moved of %v, for %s; draw %q", s.ID, sum, g.Odds, op.Weight, g.Draw)
				}
			}
			got = append(got, fmt.Sprintf("%s %s %s", s.ID, op.Weight, moved))
		}
	}
	return strings.Join(got, ", ")
}

func TestStickyCookie(t *testing.T) {
	for _, tc := range []struct{ name, sticky, want string }{
		{"short", "true", "tidegate-checkout=R.1; Path=/; Max-Age=604800; HttpOnly; SameSite=Lax"},
		{"whole", "{cookie: {name: group, path: /shop, domain: example.com, maxAge: 1d, sameSite: None, secure: true}}",
			"group=R.1; Path=/shop; Domain=example.com; Max-Age=86400; HttpOnly; Secure; SameSite=None"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, err := canary.Strategy{}.Compile(input(t, "{sticky: "+tc.sticky+", steps: [10%]}"))
			if err != nil {
				t.Fatal(err)
			}
			split := p.Steps[p.Index("shift-10")].Do[1]
			if split.Cohorts == nil {
				t.Fatalf("no cohorts in %+v", split)
			}
			if got := split.Cohorts.Drawn("R").SetCookie(1); got != tc.want {
				t.Errorf("the cookie is %s, want %s", got, tc.want)
			}
			if title := p.Steps[p.Index("shift-10")].Title; !strings.Contains(title, "10% of the users") {
				t.Errorf("the step is %q", title)
			}
			crossSite := strings.Contains(strings.Join(p.Notes, "\n"), "another site")
			if crossSite == strings.Contains(tc.sticky, "None") {
				t.Errorf("notes: %s", strings.Join(p.Notes, "\n"))
			}
		})
	}
}

// TestStickyHeaderIsRefused: nothing divides by a hash, and no share of requests must stand in for it.
func TestStickyHeaderIsRefused(t *testing.T) {
	in := input(t, "{steps: [10%], hold: 1s}")
	in.Deploy.Spec.Strategy.Canary.Sticky = &spec.Sticky{Header: "X-User-Id"}
	if _, err := (canary.Strategy{}).Compile(in); err == nil || !strings.Contains(err.Error(), "sticky.header") {
		t.Errorf("error %v", err)
	}
}

// TestStickyHolds: nothing but who is divided differs from the plain canary.
func TestStickyHolds(t *testing.T) {
	plain, err := canary.Strategy{}.Compile(input(t, "{steps: [{weight: 10%, name: first}, 50%], hold: 1m, bake: 2m}"))
	if err != nil {
		t.Fatal(err)
	}
	sticky, err := canary.Strategy{}.Compile(input(t, "{sticky: true, steps: [{weight: 10%, name: first}, 50%], hold: 1m, bake: 2m}"))
	if err != nil {
		t.Fatal(err)
	}
	about := func(p plan.Plan) (all []string) {
		for _, s := range p.Steps {
			all = append(all, fmt.Sprint(s.ID, s.Weight, time.Duration(s.Hold), s.Gates, s.Undo, s.Ahead))
		}
		return all
	}
	if a, b := strings.Join(about(plain), "\n"), strings.Join(about(sticky), "\n"); a != b {
		t.Errorf("plain\n%s\nsticky\n%s", a, b)
	}
}
