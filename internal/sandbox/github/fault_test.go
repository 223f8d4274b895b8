package github_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	client "github.com/google/go-github/v60/github"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/sandbox/github"
)

// TestFaults: what go-github makes of each ready-made answer is why they are worded as they are.
func TestFaults(t *testing.T) {
	reset := time.Now().Add(time.Hour).Truncate(time.Second)
	for _, tt := range []struct {
		name   string
		answer *github.Answer
		status int
		is     func(error) bool
		header map[string]string
	}{
		{"primary, as 403", github.PrimaryLimit(403, reset), 403, is[*client.RateLimitError], map[string]string{"X-Ratelimit-Remaining": "0"}},
		{"primary, as 429, which the client does not know", github.PrimaryLimit(429, reset), 429, is[*client.ErrorResponse], map[string]string{"X-Ratelimit-Remaining": "0"}},
		{"secondary, as 403", github.SecondaryLimit(403, time.Minute), 403, is[*client.AbuseRateLimitError], map[string]string{"Retry-After": "60", "X-Ratelimit-Remaining": "999"}},
		{"secondary, as 429", github.SecondaryLimit(429, time.Minute), 429, is[*client.ErrorResponse], map[string]string{"Retry-After": "60"}},
		{"secondary, without a time", github.SecondaryLimit(403, 0), 403, is[*client.AbuseRateLimitError], map[string]string{"Retry-After": ""}},
		{"a proxy", github.BadGateway(), 502, is[*client.ErrorResponse], map[string]string{"Content-Type": "text/html", "X-Ratelimit-Limit": ""}},
		{"an error", github.ServerError(), 500, is[*client.ErrorResponse], map[string]string{"Content-Type": "application/json; charset=utf-8"}},
		{"a timeout", github.GatewayTimeout(), 504, is[*client.ErrorResponse], nil},
	} {
		for _, applied := range []bool{false, true} {
			name, answer := tt.name, tt.answer
			if applied {
				name, answer = name+", after the work", answer.Applied()
			}
			t.Run(name, func(t *testing.T) {
				d := newDouble(t, github.Options{})
				d.Fault(func(*http.Request) *github.Answer { return answer })
				_, resp, err := d.Client.Issues.CreateComment(t.Context(), owner, repo, 1, &client.IssueComment{Body: client.String("b")})
				if err == nil || !tt.is(err) || resp == nil || resp.StatusCode != tt.status {
					t.Fatalf("%T: %v", err, err)
				}
				for key, want := range tt.header {
					if got := resp.Header.Get(key); got != want {
						t.Errorf("%s: %q", key, got)
					}
				}
				if got := len(d.Comments()) == 1; got != applied {
					t.Errorf("done: %t", got)
				}
				if d.Requests()[0].Status != tt.status {
					t.Errorf("recorded %+v", d.Requests())
				}
				d.Fault(nil)
				if a := d.do("POST", "/issues/1/comments", `{"body":"b"}`); a.status != 201 {
					t.Errorf("afterwards: %d", a.status)
				}
			})
		}
	}
}

func is[T error](err error) bool {
	var target T
	return errors.As(err, &target)
}

func TestFaultSeesTheRequest(t *testing.T) {
	d := newDouble(t, github.Options{})
	d.Fault(func(r *http.Request) *github.Answer {
		body, err := io.ReadAll(r.Body)
		if err != nil || len(d.Requests()) == 0 || r.Method != "POST" || !strings.Contains(string(body), "unlucky") {
			return nil
		}
		return github.ServerError()
	})
	for _, tt := range []struct {
		body string
		want int
	}{{"lucky", 201}, {"unlucky", 500}} {
		if a := d.do("POST", "/issues/1/comments", `{"body":"`+tt.body+`"}`); a.status != tt.want {
			t.Errorf("%s: %d", tt.body, a.status)
		}
	}
	if got := d.Comments(); len(got) != 1 || got[0].Body != "lucky" {
		t.Errorf("recorded %v", got)
	}
}

func TestDrop(t *testing.T) {
	for _, applied := range []bool{false, true} {
		d := newDouble(t, github.Options{})
		d.Fault(func(*http.Request) *github.Answer { return &github.Answer{Drop: true, AfterApply: applied} })
		if a, err := d.try("POST", "/issues/1/comments", `{"body":"b"}`); err == nil {
			t.Errorf("answered %d", a.status)
		}
		if got := len(d.Comments()) == 1; got != applied || d.Requests()[0].Status != 0 {
			t.Errorf("done: %t, recorded %+v", got, d.Requests())
		}
	}
}

func TestHang(t *testing.T) {
	for _, applied := range []bool{false, true} {
		d := newDouble(t, github.Options{})
		ctx, giveUp := context.WithCancel(t.Context())
		defer giveUp()
		asked, ended := make(chan struct{}), make(chan error)
		d.Fault(func(*http.Request) *github.Answer {
			close(asked)
			return &github.Answer{Hang: true, AfterApply: applied}
		})
		go func() {
			_, _, err := d.Client.Issues.CreateComment(ctx, owner, repo, 1, &client.IssueComment{Body: client.String("b")})
			ended <- err
		}()
		<-asked
		for applied && len(d.Comments()) == 0 {
			time.Sleep(time.Millisecond)
		}
		select {
		case err := <-ended:
			t.Errorf("it was answered: %v", err)
		case <-time.After(20 * time.Millisecond):
		}
		giveUp()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		if got := len(d.Comments()) == 1; got != applied || d.Requests()[0].Status != 0 {
			t.Errorf("done: %t, recorded %+v", got, d.Requests())
		}
	}
}

// TestDelay is waited for on the double's clock.
func TestDelay(t *testing.T) {
	d := newDouble(t, github.Options{})
	d.Fault(func(*http.Request) *github.Answer { return &github.Answer{Delay: time.Hour} })
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.do("POST", "/issues/1/comments", `{"body":"b"}`)
	}()
	if !d.clock.Step(done) {
		t.Error("it was not waited for")
	}
	<-done
	if got := d.Comments(); len(got) != 1 || got[0].CreatedAt != start.Add(time.Hour) || d.Requests()[0].Status != 201 {
		t.Errorf("recorded %+v", got)
	}
}

func TestPrimaryLimit(t *testing.T) {
	d := newDouble(t, github.Options{Hourly: 2})
	reset := "1767326645" // start, and an hour
	for i, want := range []struct {
		status    int
		remaining string
	}{{200, "1"}, {200, "0"}, {403, "0"}} {
		a := d.do("GET", "/deployments", "")
		if a.status != want.status || a.header.Get("X-RateLimit-Remaining") != want.remaining || a.header.Get("X-RateLimit-Reset") != reset || a.header.Get("X-RateLimit-Limit") != "2" {
			t.Errorf("%d: %d %v", i, a.status, a.header)
		}
	}
	if _, _, err := d.newClient().Repositories.ListDeployments(t.Context(), owner, repo, nil); !is[*client.RateLimitError](err) {
		t.Errorf("error %v", err)
	}
	d.clock.Advance(time.Hour)
	if a := d.do("GET", "/deployments", ""); a.status != 200 || a.header.Get("X-RateLimit-Remaining") != "1" {
		t.Errorf("an hour later: %d %v", a.status, a.header)
	}
}

func TestContentLimit(t *testing.T) {
	d := newDouble(t, github.Options{Writes: 2})
	write := func() answer { return d.do("POST", "/issues/1/comments", `{"body":"b"}`) }
	write()
	d.clock.Advance(30 * time.Second)
	write()
	if a := write(); a.status != 403 || a.header.Get("Retry-After") != "60" || !strings.Contains(a.field(t, "message"), "temporarily blocked from content creation") {
		t.Errorf("answered %d: %s", a.status, a.body)
	}
	if a := d.do("GET", "/deployments", ""); a.status != 200 {
		t.Errorf("reading: %d", a.status)
	}
	if _, _, err := d.Client.Issues.CreateComment(t.Context(), owner, repo, 1, &client.IssueComment{Body: client.String("b")}); !is[*client.AbuseRateLimitError](err) {
		t.Errorf("error %v", err)
	}
	d.clock.Advance(30 * time.Second)
	if a := write(); a.status != 201 {
		t.Errorf("a minute after the first: %d", a.status)
	}
	if a := write(); a.status != 403 {
		t.Errorf("not yet a minute after the second: %d", a.status)
	}
}

func TestLag(t *testing.T) {
	d := newDouble(t, github.Options{Lag: 5 * time.Second})
	d.clock.Advance(900 * time.Millisecond) // times are answered in seconds, and counted exactly
	d.deploy("qa", false, false)
	d.report(1, "success")
	d.do("POST", "/statuses/"+sha, `{"state":"success"}`)
	d.do("POST", "/issues/1/comments", `{"body":"b"}`)
	lists := []string{"/deployments", "/deployments/1/statuses", "/commits/" + sha + "/statuses", "/issues/1/comments"}
	d.clock.Advance(5*time.Second - time.Millisecond)
	for _, path := range lists {
		if a := d.do("GET", path, ""); a.body != "[]" {
			t.Errorf("%s shows %s", path, a.body)
		}
	}
	if a := d.do("GET", "/deployments/1", ""); a.status != 200 {
		t.Errorf("by its id: %d", a.status)
	}
	d.clock.Advance(time.Millisecond)
	for _, path := range lists {
		if a := d.do("GET", path, ""); a.status != 200 || a.body == "[]" {
			t.Errorf("%s shows nothing", path)
		}
	}
}

// TestAtOnce is for the race detector.
func TestAtOnce(t *testing.T) {
	d := newDouble(t, github.Options{Clock: clock.Real{}, Writes: -1})
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 5 {
				d.do("POST", "/deployments", `{"ref":"main","environment":"qa","auto_merge":false,"required_contexts":[]}`)
				d.do("POST", "/deployments/1/statuses", `{"state":"success"}`)
				d.Fault(nil)
				_, _, _, _ = d.Deployments(), d.Requests(), d.Problems(), d.Comments()
				_ = d.Story(io.Discard)
			}
		})
	}
	wait.Wait()
	if all := d.Deployments(); len(all) != 40 || len(all[0].Statuses) != 40 || len(d.Requests()) != 80 {
		t.Errorf("%d deployments, %d requests", len(all), len(d.Requests()))
	}
}
