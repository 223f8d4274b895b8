package load

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// shopFloor gives every visitor without a number one, as an app's session, and draws everyone without a cohort: of every four
// answers the first sets cohort 1, the others cohort 2. Cohort 1 is moved to v2 when it is opened.
type shopFloor struct {
	moved atomic.Bool
	// forget answers by turns, as plain weights do.
	forget bool

	mu       sync.Mutex
	requests int
	draws    int
	sessions map[string]int // requests by session
}

func (s *shopFloor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	version := "v1"
	session, err := r.Cookie("session")
	if err != nil {
		http.SetCookie(w, &http.Cookie{Name: "session", Value: fmt.Sprint("s", s.requests), Domain: "shop.test", Path: "/"})
	} else {
		s.sessions[session.Value]++
	}
	switch c, err := r.Cookie("cohort"); {
	case r.Host != "www.shop.test" || r.URL.Path != "/cart":
		version = "nowhere"
	case s.forget && s.requests%2 == 0:
		version = "v2"
	case err != nil:
		cohort := "2"
		if s.draws%4 == 0 {
			cohort = "1"
		}
		s.draws++
		http.SetCookie(w, &http.Cookie{Name: "cohort", Value: cohort, Path: "/", MaxAge: 3600, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	case c.Value == "1" && s.moved.Load():
		version = "v2"
	}
	http.SetCookie(w, &http.Cookie{Name: "seen", Value: fmt.Sprint(s.requests)}) // an app's own, on every answer
	w.Header().Set(VersionHeader, version)
}

func letIn(t *testing.T, floor *shopFloor, o UserOptions) *Users {
	t.Helper()
	floor.sessions = map[string]int{}
	server := httptest.NewServer(floor)
	t.Cleanup(server.Close)
	o.URL, o.Host, o.Path = server.URL, "www.shop.test", "/cart"
	u, err := StartUsers(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { u.Stop() })
	return u
}

// until waits for as many answers.
func (u *Users) until(answers int) {
	for u.Counts().Sent < answers {
		<-time.After(5 * time.Millisecond)
	}
}

func TestUsersKeepTheirVersion(t *testing.T) {
	floor := &shopFloor{}
	u := letIn(t, floor, UserOptions{Options: Options{Rate: 2000}, Users: 100, Burst: 6})
	u.until(1500)
	before := time.Now()
	floor.moved.Store(true)
	moved := time.Now()
	u.until(4500)
	all := u.Stop()
	histories := u.Histories()
	if sum := Summarize(all); sum.Lost != 0 || sum.ByVersion["nowhere"] > 0 || sum.ByVersion["v2"] == 0 || len(histories.Lost()) != 0 {
		t.Errorf("%+v", sum)
	}
	if len(histories) != 100 || u.Met() != 100 {
		t.Fatalf("%d users have a history, %d have come, want 100", len(histories), u.Met())
	}
	on := 0
	for i, h := range histories {
		if h.Changes() > 1 || len(h.Back("v2", "v1")) > 0 {
			t.Errorf("user %d saw %d changes", i, h.Changes())
		}
		for _, a := range h {
			if a.Version == "v2" && a.End().Before(before) {
				t.Errorf("user %d met v2 before it was there", i)
			}
		}
		on += h.Changes()
	}
	share, of := histories.Share("v2", all[0].At, moved, time.Now())
	if of < 90 || share != on || share == 0 || share == of {
		t.Errorf("%d of %d users are on v2, and %d have changed", share, of, on)
	}
}

// TestUsersFlip proves that the judgement sees what it is for.
func TestUsersFlip(t *testing.T) {
	u := letIn(t, &shopFloor{forget: true}, UserOptions{Options: Options{Rate: 2000}, Users: 20})
	u.until(1000)
	u.Stop()
	changed, back := 0, 0
	for _, h := range u.Histories() {
		changed += min(h.Changes()/2, 1)
		back += min(len(h.Back("v2", "v1")), 1)
	}
	if changed < 18 || back < 18 {
		t.Errorf("of 20 users %d saw more than one change and %d went back, want nearly all", changed, back)
	}
}

func TestFirstVisitsAreBursts(t *testing.T) {
	floor := &shopFloor{}
	u := letIn(t, floor, UserOptions{Options: Options{Rate: 2000}, Users: 50, Burst: 5})
	u.until(1500)
	u.Stop()
	if floor.draws != 50*5 {
		t.Errorf("%d requests came without a cookie, want the 5 of each of 50 first visits", floor.draws)
	}
	users := 0
	for _, n := range floor.sessions {
		if n > 0 {
			users++
		}
	}
	if users == 0 || users > 50 {
		t.Errorf("the app saw %d sessions of 50 users come back", users)
	}
	for i, h := range u.Histories() {
		for _, a := range h[:5] {
			if len(h) > 5 && a.End().After(h[5].At) {
				t.Fatalf("user %d came back while the first visit was under way", i)
			}
		}
	}
}

func TestUsersKeepTheRate(t *testing.T) {
	u := letIn(t, &shopFloor{}, UserOptions{Options: Options{Rate: 400}, Users: 10})
	begun := time.Now()
	u.until(200)
	all := u.Stop()
	if most := 400*time.Since(begun).Seconds() + 2*defaultBurst; float64(len(all)) > most {
		t.Errorf("%d requests, want at most %.0f", len(all), most)
	}
}

func TestBusyUsersAreLeftAlone(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	u, err := StartUsers(t.Context(), UserOptions{Options: Options{URL: server.URL, Rate: 2000}, Users: 3, Burst: 2})
	if err != nil {
		t.Fatal(err)
	}
	for u.Met() < 3 {
		<-time.After(time.Millisecond)
	}
	<-time.After(20 * time.Millisecond) // 40 moments at which somebody would have come back
	close(release)
	u.until(3*2 + 10)
	u.Stop()
	for _, h := range u.Histories() {
		for _, a := range h[2:] {
			if !a.At.After(h[0].End()) || !a.At.After(h[1].End()) {
				t.Errorf("a user who waited for an answer came again")
			}
		}
	}
}

func TestStartUsersRefuses(t *testing.T) {
	good := Options{URL: "http://127.0.0.1:1", Rate: 1}
	for want, o := range map[string]UserOptions{
		"loopback":   {Options: Options{URL: "http://192.0.2.1", Rate: 1}},
		"rate":       {Options: Options{URL: good.URL}},
		"-1 users":   {Options: good, Users: -1},
		"-1 request": {Options: good, Burst: -1},
	} {
		if u, err := StartUsers(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
			if err == nil {
				u.Stop()
			}
			t.Errorf("%+v gives %v, want an error about %s", o, err, want)
		}
	}
}
