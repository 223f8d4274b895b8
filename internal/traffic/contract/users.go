package contract

import (
	"fmt"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/plan"
)

// ring: who has the header meets the candidate, and nobody else; the weight is for the others.
func ring(t *testing.T, w *world) {
	w.set(t, plan.Split{Ring: staff()})
	for range 50 {
		if v := w.user("X-Staff", "1").visit(t); v != "v2" {
			t.Fatalf("staff meets %s", v)
		}
		if v := w.user("X-Staff", "2").visit(t); v != "v1" {
			t.Fatalf("somebody with another value meets %s", v)
		}
	}
	if seen := w.sees(t, 200); seen["v1"] != 200 {
		t.Errorf("strangers meet %v", seen)
	}
	w.set(t, plan.Split{Weight: percent(25), Ring: staff()})
	if seen := w.sees(t, 1000); !within(seen["v2"], 1000, percent(25)) {
		t.Errorf("beside the ring strangers meet %v at 25%%", seen)
	}
	for range 50 {
		if v := w.user("X-Staff", "1").visit(t); v != "v2" {
			t.Fatalf("at 25%% staff meets %s", v)
		}
	}
}

// groups are the cohorts of the steps 5, 25, 50 and 100 %.
func groups(moved int) *plan.Cohorts {
	return &plan.Cohorts{Odds: []plan.Share{percent(5), percent(20), percent(25), percent(50)}, Moved: moved, Draw: "20260102-030405-abcd",
		Cookie: plan.Cookie{Name: "tidegate-shop", Path: "/", MaxAge: plan.Duration(24 * time.Hour), SameSite: "Lax"}}
}

// cohorts: the first answer is always the base's; every user moves once, with their cohort, and never back; the share of the
// users is the weight; in the end everybody is back.
func cohorts(t *testing.T, w *world) {
	const crowd = 1000
	weights := []plan.Share{percent(5), percent(25), percent(50)}
	w.set(t, plan.Split{Weight: weights[0], Cohorts: groups(1)})
	users := make([]*user, crowd)
	last := make([]string, crowd)
	for i := range users {
		users[i] = w.user()
		if last[i] = users[i].visit(t); last[i] != "v1" {
			t.Fatalf("a first request is answered by %s", last[i])
		}
		if len(users[i].jar) == 0 {
			t.Fatal("a first answer sets no cookie")
		}
	}
	for step, weight := range weights {
		if step > 0 {
			w.set(t, plan.Split{Weight: weight, Cohorts: groups(step + 1)})
		}
		moved := 0
		for i, u := range users {
			first := u.visit(t)
			if first == "v1" && last[i] == "v2" {
				t.Fatalf("at %s a user goes back", weight)
			}
			for range 3 {
				if again := u.visit(t); again != first {
					t.Fatalf("at %s a user meets %s, then %s", weight, first, again)
				}
			}
			if last[i] = first; first == "v2" {
				moved++
			}
		}
		if !within(moved, crowd, weight) {
			t.Errorf("at %s %d of %d users meet the new version", weight, moved, crowd)
		}
		if got := w.share(t); got != weight {
			t.Errorf("the routes tell %s, not %s", got, weight)
		}
	}
	if v := w.user().visit(t); v != "v1" {
		t.Errorf("at 50%% a first request is answered by %s", v)
	}
	w.set(t, plan.Split{Weight: plan.All})
	for _, u := range users {
		if v := u.visit(t); v != "v2" {
			t.Fatalf("at the end a user meets %s", v)
		}
	}
	w.restore(t)
	for _, u := range users {
		if v := u.visit(t); v != "v1" {
			t.Fatalf("restored, a user meets %s", v)
		}
	}
}

// forged: cookies of another draw, or that nobody set, are a stranger's: the base answers, and a cohort is drawn.
func forged(t *testing.T, w *world) {
	w.set(t, plan.Split{Weight: percent(50), Cohorts: groups(3)})
	honest := w.user()
	honest.visit(t)
	for _, value := range []string{"", "x", "20260102-030405-abcd", "20260102-030405-abcd.", "20260102-030405-abcd.9", "20250102-030405-abcd.1",
		"20260102-030405-abcd.1x", "x20260102-030405-abcd.1", "20260102-030405Xabcd.1", fmt.Sprint(1 << 40)} {
		u := w.user()
		u.jar["tidegate-shop"] = value
		code, version, cookies := u.ask(t)
		if code != 200 || version != "v1" {
			t.Errorf("with the cookie %q the answer is %d %s", value, code, version)
		}
		if len(cookies) == 0 {
			t.Errorf("with the cookie %q nobody is drawn", value)
		}
	}
}

// mirror: users meet the base only, and the candidate gets a copy.
func mirror(t *testing.T, w *world) {
	before := w.answered(t, Candidate)
	w.set(t, plan.Split{Mirror: plan.All})
	if seen := w.sees(t, 300); seen["v1"] != 300 {
		t.Errorf("users meet %v", seen)
	}
	if got := w.answered(t, Candidate) - before; got != 300 {
		t.Errorf("of 300 requests the candidate got %v copies", got)
	}
	w.restore(t)
	before = w.answered(t, Candidate)
	w.sees(t, 100)
	if got := w.answered(t, Candidate) - before; got != 0 {
		t.Errorf("restored, the candidate got %v copies more", got)
	}
}
