package app_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"time"
)

// errKilled is what a killed process's requests meet.
var errKilled = errors.New("the process was killed")

// killer breaks a run's connection for good at its nth write: before it is delivered, or after it was carried out but
// before its answer came. Watches, leases and Events do not count.
type killer struct {
	at    int
	after bool
	kill  context.CancelCauseFunc

	mu    sync.Mutex
	count int
	dead  bool
	where string
}

func (k *killer) wrap(next http.RoundTripper) http.RoundTripper { return &killed{k, next} }

type killed struct {
	*killer
	next http.RoundTripper
}

func (k *killed) RoundTrip(r *http.Request) (*http.Response, error) {
	k.mu.Lock()
	if k.dead {
		k.mu.Unlock()
		return nil, errKilled
	}
	hit := false
	if counts(r) {
		k.count++
		if hit = k.count == k.at; hit {
			k.dead, k.where = true, r.Method+" "+r.URL.Path
		}
	}
	k.mu.Unlock()
	if hit && !k.after {
		k.kill(errKilled)
		return nil, errKilled
	}
	answer, err := k.next.RoundTrip(r)
	if hit {
		k.kill(errKilled)
		if err == nil {
			answer.Body.Close()
		}
		return nil, errKilled
	}
	return answer, err
}

func counts(r *http.Request) bool {
	return r.Method != http.MethodGet && !strings.Contains(r.URL.Path, "/leases") && !strings.Contains(r.URL.Path, "/events") &&
		!strings.Contains(r.URL.Path, "selfsubject") && r.URL.Query().Get("dryRun") == ""
}

// faulty breaks a run's nth call, once.
type faulty struct {
	at   int
	kind string

	mu    sync.Mutex
	count int
	where string
}

func (f *faulty) wrap(next http.RoundTripper) http.RoundTripper { return &faultyTrip{f, next} }

type faultyTrip struct {
	*faulty
	next http.RoundTripper
}

func (f *faultyTrip) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	f.count++
	hit := f.count == f.at
	if hit {
		f.where = r.Method + " " + r.URL.Path
	}
	f.mu.Unlock()
	if !hit {
		return f.next.RoundTrip(r)
	}
	switch f.kind {
	case "hang":
		<-r.Context().Done()
		return nil, r.Context().Err()
	case "lost":
		if answer, err := f.next.RoundTrip(r); err == nil {
			answer.Body.Close()
		}
		return nil, errors.New("connection reset by peer")
	case "slow":
		select {
		case <-time.After(3 * time.Second):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
		return f.next.RoundTrip(r)
	}
	return status(r, f.kind), nil
}

func status(r *http.Request, code string) *http.Response {
	reason := map[string]string{"409": "Conflict", "500": "InternalError", "504": "Timeout"}[code]
	body := fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","status":"Failure","message":"made by the test","reason":%q,"code":%s}`, reason, code)
	recorder := httptest.NewRecorder()
	recorder.Header().Set("Content-Type", "application/json")
	n, _ := strconv.Atoi(code)
	recorder.WriteHeader(n)
	_, _ = recorder.WriteString(body)
	answer := recorder.Result()
	answer.Request = r
	return answer
}
