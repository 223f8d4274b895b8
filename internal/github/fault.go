package github

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	gh "github.com/google/go-github/v60/github"
)

// fault is what an error of the API means to who wants to tell it something.
type fault struct {
	kind    faultKind
	until   time.Time // for limited: do not ask before; zero if it was not said
	needs   string    // for forbidden: the permission that is missing, as a workflow writes it
	missing bool      // 404
	text    string
}

type faultKind int

const (
	transient faultKind = iota // try again later
	limited                    // a rate limit: try again at `until`
	forbidden                  // a permission is missing: it will not come back during this run
	refused                    // this will not work however often it is tried
)

// judge says what err, an error of one call, means. GitHub asks to honour retry-after first, then x-ratelimit-reset,
// for 403 and 429 alike (https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api); the
// library knows only some of the 403s.
func judge(err error, now time.Time) fault {
	var accepted *gh.AcceptedError
	if errors.As(err, &accepted) {
		return fault{text: "GitHub answered 202: it is still at work on what was asked"}
	}
	resp, message := answer(err)
	if resp == nil {
		return fault{text: err.Error()} // no answer: the network, or a time-out
	}
	if message == "" {
		message = http.StatusText(resp.StatusCode)
	}
	f := fault{text: strconv.Itoa(resp.StatusCode) + " " + message}
	switch code := resp.StatusCode; {
	case code == http.StatusTooManyRequests, code == http.StatusForbidden && rateLimited(resp, message):
		f.kind, f.until = limited, retryAt(resp.Header, now)
	case code == http.StatusForbidden:
		f.kind, f.needs = forbidden, permission(resp.Header)
	case code == http.StatusUnauthorized:
		f.kind = forbidden
	case code >= 500, code == http.StatusRequestTimeout:
	default:
		f.kind, f.missing = refused, code == http.StatusNotFound
	}
	return f
}

// answered is the head of GitHub's answer; the library has read and closed its body.
type answered struct {
	StatusCode int
	Header     http.Header
}

func headOf(r *http.Response) *answered {
	if r == nil {
		return nil
	}
	return &answered{StatusCode: r.StatusCode, Header: r.Header}
}

// answer is the answer behind an error of the library, with GitHub's message; nil without one.
func answer(err error) (*answered, string) {
	var response *gh.ErrorResponse
	var rate *gh.RateLimitError
	var abuse *gh.AbuseRateLimitError
	switch {
	case errors.As(err, &response):
		text := response.Message
		for _, e := range response.Errors {
			text += "; " + strings.TrimSpace(e.Field+" "+e.Message)
		}
		return headOf(response.Response), text
	case errors.As(err, &rate):
		return headOf(rate.Response), rate.Message
	case errors.As(err, &abuse):
		return headOf(abuse.Response), abuse.Message
	}
	return nil, ""
}

func rateLimited(resp *answered, message string) bool {
	return resp.Header.Get("x-ratelimit-remaining") == "0" || resp.Header.Get("retry-after") != "" ||
		strings.Contains(strings.ToLower(message), "rate limit")
}

// retryAt is when GitHub says that it may be asked again; zero when it does not say.
func retryAt(h http.Header, now time.Time) time.Time {
	if seconds, err := strconv.Atoi(h.Get("retry-after")); err == nil && seconds >= 0 {
		return now.Add(time.Duration(seconds) * time.Second)
	}
	if h.Get("x-ratelimit-remaining") != "0" {
		return time.Time{}
	}
	if reset, err := strconv.ParseInt(h.Get("x-ratelimit-reset"), 10, 64); err == nil && reset > 0 {
		return time.Unix(reset, 0)
	}
	return time.Time{}
}

// permission is what GitHub says that the call needs, as a workflow's `permissions` block writes it. The header names
// alternatives by ";" and what is needed together by ",": the first of them is what a person should grant.
func permission(h http.Header) string {
	first, _, _ := strings.Cut(h.Get("x-accepted-github-permissions"), ";")
	first, _, _ = strings.Cut(first, ",")
	name, level, ok := strings.Cut(strings.TrimSpace(first), "=")
	if !ok {
		return ""
	}
	return strings.ReplaceAll(name, "_", "-") + ": " + level
}

// ambiguous tells whether the call may have been carried out although no answer came.
func ambiguous(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return true
	}
	resp, _ := answer(err)
	return resp == nil || resp.StatusCode >= 500
}
