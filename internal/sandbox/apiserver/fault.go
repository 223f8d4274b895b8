package apiserver

import (
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/tidegate/tidegate/internal/clock"
)

// Fault is what goes wrong with a request. The fields may be combined: the delay comes first.
type Fault struct {
	Delay  time.Duration // before anything is done
	Answer error         // given instead of doing it; an apierrors value becomes its Status, any other a 500
	Hang   bool          // nothing is done and no answer comes until the client gives up
	Cut    bool          // nothing is done, the connection breaks
	Lose   bool          // it is carried out, but the connection breaks before the answer
}

// meddle applies the fault that the interceptor wants; false when the request is dealt with.
func (s *Server) meddle(w http.ResponseWriter, req *http.Request) bool {
	s.mu.Lock()
	intercept := s.intercept
	s.mu.Unlock()
	if intercept == nil {
		return true
	}
	f := intercept(req)
	if f == nil {
		return true
	}
	if f.Delay > 0 && !s.delay(w, req, f.Delay) {
		return false
	}
	switch {
	case f.Hang:
		s.hang(req)
	case f.Cut:
		panic(http.ErrAbortHandler)
	case f.Answer != nil:
		writeError(w, f.Answer)
	case f.Lose:
		s.lose(req)
	default:
		return true
	}
	return false
}

// delay waits, but no longer than the request's own ?timeout=; then the answer is 504 and nothing was done.
func (s *Server) delay(w http.ResponseWriter, req *http.Request, d time.Duration) bool {
	limit, err := time.ParseDuration(req.URL.Query().Get("timeout"))
	late := err == nil && limit > 0 && limit < d
	if late {
		d = limit
	}
	if clock.Sleep(req.Context(), s.clock, d) != nil {
		return false
	}
	if late {
		writeError(w, apierrors.NewTimeoutError("the server was too slow", 0))
	}
	return !late
}

func (s *Server) hang(req *http.Request) {
	select {
	case <-req.Context().Done():
	case <-s.done:
	}
	panic(http.ErrAbortHandler)
}

// lose carries the request out into nowhere.
func (s *Server) lose(req *http.Request) {
	nowhere := &reply{header: http.Header{}, req: req, cancel: func() {}, ready: make(chan struct{})}
	q, err := s.parse(req)
	if err == nil && s.admit(q) == nil && q.verb != "watch" {
		s.dispatch(nowhere, req, q)
	}
	panic(http.ErrAbortHandler)
}
