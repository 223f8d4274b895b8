package github

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Answer is what comes instead of the double's own. The zero Answer with a Delay is the double's own, late.
type Answer struct {
	Status int
	Header http.Header
	Body   string
	// Delay is waited for on the clock, before anything is done.
	Delay time.Duration
	// Hang never answers: it ends when the client gives up.
	Hang bool
	// Drop closes the connection without an answer.
	Drop bool
	// AfterApply does what was asked first, and then loses the answer.
	AfterApply bool
}

func (a *Answer) onlyLate() bool { return a.Status == 0 && !a.Hang && !a.Drop }

// Applied is the same answer, after the work was done.
func (a *Answer) Applied() *Answer {
	after := *a
	after.AfterApply = true
	return &after
}

// faulty is what a fault makes of an answer, or the end of the request.
func (s *Server) faulty(r *http.Request, a *Answer) reply {
	if a.Hang {
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	}
	if a.Drop {
		panic(http.ErrAbortHandler)
	}
	answer := reply{a.Status, http.Header{}, []byte(a.Body)}
	for key, values := range a.Header {
		for _, value := range values {
			answer.header.Add(key, value)
		}
	}
	if strings.HasPrefix(answer.header.Get("Content-Type"), "application/json") {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.limits.write(answer.header, s.options.Hourly)
	}
	return answer
}

const (
	limitDocs     = "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api"
	secondaryDocs = "https://docs.github.com/free-pro-team@latest/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"
)

func jsonAnswer(status int, message, docs string) *Answer {
	body := fmt.Sprintf(`{"message":%q,"documentation_url":%q,"status":"%d"}`, message, docs, status)
	return &Answer{Status: status, Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}}, Body: body}
}

// PrimaryLimit says that the hour's requests are used up until reset. GitHub says it with 403 and with 429.
func PrimaryLimit(status int, reset time.Time) *Answer {
	a := jsonAnswer(status, "API rate limit exceeded for installation.", limitDocs)
	a.Header.Set("X-RateLimit-Remaining", "0")
	a.Header.Set("X-RateLimit-Reset", strconv.FormatInt(reset.Unix(), 10))
	return a
}

// SecondaryLimit says that there was too much at once. GitHub says it with 403 and with 429, and does not always say for
// how long: after 0 leaves it out.
func SecondaryLimit(status int, after time.Duration) *Answer {
	a := jsonAnswer(status, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.", secondaryDocs)
	if after > 0 {
		a.Header.Set("Retry-After", strconv.Itoa(int(after.Seconds())))
	}
	return a
}

// BadGateway is the page of a proxy before GitHub: no JSON.
func BadGateway() *Answer {
	const page = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"
	return &Answer{Status: http.StatusBadGateway, Header: http.Header{"Content-Type": {"text/html"}}, Body: page}
}

// ServerError is an error of GitHub's own.
func ServerError() *Answer {
	return jsonAnswer(http.StatusInternalServerError, "Server Error", "https://docs.github.com/rest")
}

// GatewayTimeout is what GitHub says when it gave up after ten seconds. The work may have been done: see [Answer.Applied].
func GatewayTimeout() *Answer {
	return jsonAnswer(http.StatusGatewayTimeout, "We couldn't respond to your request in time. Sorry about that.", "https://docs.github.com/rest")
}

// limits counts requests: all in the hour that began with the first, and those that write in the last minute.
type limits struct {
	began  time.Time
	used   int
	writes []time.Time
}

func (l *limits) count(now time.Time) {
	if l.began.IsZero() || !now.Before(l.began.Add(time.Hour)) {
		l.began, l.used = now, 0
	}
	l.used++
}

// countWrite is true when there were too many in the last minute.
func (l *limits) countWrite(now time.Time, most int) bool {
	for len(l.writes) > 0 && !now.Before(l.writes[0].Add(time.Minute)) {
		l.writes = l.writes[1:]
	}
	if most > 0 && len(l.writes) >= most {
		return true
	}
	l.writes = append(l.writes, now)
	return false
}

// write tells how many requests are left, where nothing is told yet.
func (l *limits) write(header http.Header, hourly int) {
	if hourly < 0 {
		hourly = 15000 // what an Enterprise Cloud repository has; it is told, not enforced
	}
	set := func(key string, n int64) {
		if header.Get(key) == "" {
			header.Set(key, strconv.FormatInt(n, 10))
		}
	}
	set("X-RateLimit-Limit", int64(hourly))
	set("X-RateLimit-Remaining", int64(max(0, hourly-l.used)))
	set("X-RateLimit-Used", int64(min(hourly, l.used)))
	set("X-RateLimit-Reset", l.began.Add(time.Hour).Unix())
	header.Set("X-RateLimit-Resource", "core")
}

func (c *call) primaryLimit() reply {
	r := c.failed(http.StatusForbidden, "API rate limit exceeded for installation.")
	r.body.(object)["documentation_url"] = limitDocs
	return r
}

// contentLimit is the secondary limit that most clients meet first.
func (c *call) contentLimit() reply {
	r := c.failed(http.StatusForbidden,
		"You have exceeded a secondary rate limit and have been temporarily blocked from content creation. Please retry your request again later.")
	r.body.(object)["documentation_url"] = secondaryDocs
	return r.with("Retry-After", "60")
}
