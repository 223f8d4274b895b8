package github

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// trouble is GitHub's present state of health, as we meet it.
type trouble struct {
	row       int       // failures in a row
	notBefore time.Time // when to try again
	last      string
}

// Backoff after a failure: doubled from the first to the second, unless GitHub says when. A minute is what GitHub asks
// for after a rate limit without a time.
const (
	firstPause   = time.Second
	longestPause = time.Minute
	limitPause   = time.Minute
	longestLimit = 15 * time.Minute
	// youngTries is how often something that GitHub says does not exist is asked for again.
	youngTries = 4
)

// Close waits until GitHub knows everything, or ctx ends. When GitHub does not answer it gives up after one more try,
// unless it should persist: what is missing is in the Ledgers, for the job's post step. It returns how many topics GitHub
// has not been told of, with the reason.
func (r *Reporter) Close(ctx context.Context) (untold int, why string) {
	r.mu.Lock()
	r.closing = hurried
	if r.Persist {
		r.closing = patient
	} else if r.trouble.row > 0 && r.trouble.notBefore.Sub(r.Clock.Now()) <= longestPause {
		r.trouble.notBefore = time.Time{} // one more try, at once
	}
	r.mu.Unlock()
	r.signal()
	select {
	case <-r.done:
	case <-ctx.Done():
		r.cancel()
		<-r.done
	}
	r.cancel()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.ledgers {
		untold += len(l.untold())
	}
	return untold, r.trouble.last
}

// work tells what is untold, one topic at a time, until the reporter is closed.
func (r *Reporter) work(ctx context.Context) {
	for ctx.Err() == nil {
		l, topic, pause, over := r.next()
		switch {
		case over:
			return
		case topic == "":
			r.rest(ctx, pause)
			continue
		}
		before := r.sent.Load()
		work := r.snapshot(l)
		post := work.Wanted[topic]
		err := r.send(ctx, &work, topic, post)
		r.mu.Lock()
		l.Deployment, l.Check, l.Listed, l.Older = work.Deployment, work.Check, work.Listed, work.Older
		l.Requests += int(r.sent.Load() - before)
		r.settle(l, topic, post, err)
		r.mu.Unlock()
	}
}

// next is what to tell now; without a topic, how long to rest (0: until there is something new).
func (r *Reporter) next() (l *Ledger, topic string, pause time.Duration, over bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, ledger := range r.ledgers {
		for _, t := range ledger.untold() {
			if l == nil && !r.spared(ledger, t) {
				l, topic = ledger, t
			}
		}
	}
	if l == nil {
		return nil, "", 0, r.closing != open
	}
	if left := r.trouble.notBefore.Sub(r.Clock.Now()); left > 0 {
		return nil, "", left, r.closing == hurried
	}
	return l, topic, 0, false
}

// spared drops what GitHub refuses, and progress that the budget has no room for.
func (r *Reporter) spared(l *Ledger, topic string) bool {
	p := l.Wanted[topic]
	reserve := len(l.Wanted) + 2*min(len(l.Older), olderLimit)
	if r.off[facet(topic)] || !p.Closing && l.Requests+reserve >= r.Budget {
		l.told(topic, p)
		return true
	}
	return false
}

// facet is the part of the API, and so the permission, that a topic needs.
func facet(topic string) string {
	switch {
	case topic == topicCheck:
		return "checks"
	case topic == topicDeployment, topic == topicOlder:
		return "deployments"
	}
	return "statuses"
}

func (r *Reporter) snapshot(l *Ledger) Ledger {
	r.mu.Lock()
	defer r.mu.Unlock()
	return l.copy()
}

// rest waits for something new, or for d.
func (r *Reporter) rest(ctx context.Context, d time.Duration) {
	var after <-chan time.Time
	if d > 0 {
		timer := r.Clock.NewTimer(d)
		defer timer.Stop()
		after = timer.C()
	}
	select {
	case <-ctx.Done():
	case <-r.wake:
	case <-after:
	}
}

// settle takes down what came of a send.
func (r *Reporter) settle(l *Ledger, topic string, p Post, err error) {
	if err == nil {
		l.told(topic, p)
		r.trouble = trouble{}
		return
	}
	now := r.Clock.Now()
	f := judge(err, now)
	r.trouble.last = f.text
	if f.missing && facet(topic) == "deployments" && l.Deployment != 0 && r.trouble.row < youngTries {
		f.kind = transient // just made, and not yet known everywhere
	}
	switch f.kind {
	case forbidden:
		r.off[facet(topic)] = true
		r.warn(facet(topic), forbiddenText(facet(topic), f))
	case refused:
		l.told(topic, p)
		r.warn(facet(topic), fmt.Sprintf("GitHub refuses %s: %s; the rollout goes on without", facet(topic), f.text))
	case limited:
		r.trouble.row++
		if r.trouble.notBefore = f.until; f.until.IsZero() {
			r.trouble.notBefore = now.Add(min(limitPause<<min(r.trouble.row-1, 8), longestLimit))
		}
	default:
		r.trouble.row++
		r.trouble.notBefore = now.Add(min(firstPause<<min(r.trouble.row-1, 8), longestPause))
	}
	if r.closing == hurried && r.trouble.row > 0 && r.trouble.notBefore.Before(now.Add(time.Nanosecond)) {
		r.trouble.notBefore = now.Add(firstPause)
	}
}

// defaultPermissions are what the facets need when GitHub does not say it.
func forbiddenText(facet string, f fault) string {
	needs := f.needs
	if !strings.HasSuffix(needs, ": write") { // what was refused may have been a look at what is there
		needs = facet + ": write"
	}
	if strings.HasPrefix(f.text, "401") {
		return "GitHub does not take the token (" + f.text + "): give `github-token` a valid one; the rollout goes on without telling GitHub"
	}
	return fmt.Sprintf("GitHub does not let this job write %s (%s): add `%s` to the job's `permissions`; the rollout goes on without them",
		facet, f.text, needs)
}

func (r *Reporter) warnOnce(key, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.warn(key, text)
}

func (r *Reporter) warn(key, text string) {
	if !r.warned[key] {
		r.warned[key] = true
		if r.Warn != nil {
			r.Warn(text)
		}
	}
}

// counter counts requests.
type counter struct{ atomic.Int64 }

func (c *counter) around(next http.RoundTripper) http.RoundTripper {
	if next == nil {
		next = http.DefaultTransport
	}
	return roundTrip(func(req *http.Request) (*http.Response, error) {
		c.Add(1)
		return next.RoundTrip(req)
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
