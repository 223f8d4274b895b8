package github

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/tidegate/tidegate/internal/clock"
)

// defaultBranch is what "" means where a ref is asked for. It is there from the start.
const defaultBranch = "main"

// Options say which repository the double is of, and how strict it is.
type Options struct {
	Clock clock.Clock
	// Repository is the one that there is, as "owner/name". Others are answered 404.
	Repository string
	// Token is the one that is accepted; every other is answered 401. With "" none is asked for.
	Token string
	// Permissions are the token's, in a workflow's words: {"deployments": "write"}. What is not there is not granted;
	// nil grants everything.
	Permissions map[string]string
	// Prefix is what paths begin with: "" as on api.github.com, "/api/v3" as on an Enterprise Server.
	Prefix string
	// Lag is how long lists do not show what was created.
	Lag time.Duration
	// Hourly is how many requests an hour are answered: 1,000 if 0, as for GITHUB_TOKEN; any number if negative.
	Hourly int
	// Writes is how many POST and PATCH a minute are answered: 80 if 0, any number if negative.
	Writes int
}

// Server is the double. It is safe for concurrent use.
type Server struct {
	options    Options
	routes     []route
	operations map[string]operation

	faultMu sync.Mutex // apart, so that a fault's function may look at what was recorded
	fault   func(*http.Request) *Answer

	mu       sync.Mutex // guards what follows
	requests []Request
	problems []string
	limits   limits
	state    state
}

// state is what the repository holds.
type state struct {
	deployments  []Deployment
	statusCount  int
	statuses     map[string][]CommitStatus // by sha
	commitCount  int
	checks       []CheckRun
	comments     []Comment
	environments []environment
	refs         map[string]string            // branch or tag to sha
	files        map[string]map[string]string // by sha, then path
}

// Request is one that was received.
type Request struct {
	At     time.Time
	Method string
	// Path is as it was sent, with its query and without the prefix.
	Path string
	Body string
	// Status is what was answered, 0 if nothing was.
	Status int
}

// New returns a double of an empty repository, whose one branch is main.
func New(o Options) (*Server, error) {
	owner, name, ok := strings.Cut(o.Repository, "/")
	if !ok || owner == "" || name == "" || strings.Contains(name, "/") {
		return nil, fmt.Errorf("The double of GitHub has no repository %q: name one, as owner/name.", o.Repository)
	}
	if o.Clock == nil {
		return nil, errors.New("The double of GitHub has no clock: hand it the one that its client uses.")
	}
	o.Hourly, o.Writes = orDefault(o.Hourly, 1000), orDefault(o.Writes, 80)
	o.Prefix = strings.TrimRight(o.Prefix, "/")
	routes, err := published()
	if err != nil {
		return nil, err
	}
	return &Server{
		options:    o,
		routes:     routes,
		operations: operations(),
		state: state{
			statuses: map[string][]CommitStatus{},
			refs:     map[string]string{defaultBranch: madeUp(defaultBranch)},
			files:    map[string]map[string]string{},
		},
	}, nil
}

func orDefault(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}

// madeUp is the commit of a ref of which nothing else is known.
func madeUp(ref string) string {
	sum := sha1.Sum([]byte("commit of " + ref))
	return hex.EncodeToString(sum[:])
}

// Fault sets what goes wrong from now on: f is asked about every request, one at a time, and nil from it means nothing.
// It may read the request's body. With nil, nothing goes wrong any more.
func (s *Server) Fault(f func(*http.Request) *Answer) {
	s.faultMu.Lock()
	defer s.faultMu.Unlock()
	s.fault = f
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client went away while it was writing
	}
	number := s.receive(r, body)
	fault := s.faultFor(r, body)
	if fault != nil && fault.Delay > 0 && clock.Sleep(r.Context(), s.options.Clock, fault.Delay) != nil {
		return
	}
	var answer reply
	if fault == nil || fault.AfterApply || fault.onlyLate() {
		answer = s.apply(r, body)
	}
	if fault != nil && !fault.onlyLate() {
		answer = s.faulty(r, fault)
	}
	s.settle(number, answer.status)
	answer.write(w)
}

func (s *Server) receive(r *http.Request, body []byte) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, path := s.options.Clock.Now(), strings.TrimPrefix(r.URL.RequestURI(), s.options.Prefix)
	s.limits.count(now)
	s.requests = append(s.requests, Request{At: now, Method: r.Method, Path: path, Body: string(body)})
	return len(s.requests) - 1
}

func (s *Server) settle(number, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[number].Status = status
}

func (s *Server) faultFor(r *http.Request, body []byte) *Answer {
	s.faultMu.Lock()
	defer s.faultMu.Unlock()
	if s.fault == nil {
		return nil
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return s.fault(r)
}

// apply does what is asked, and says what would be answered.
func (s *Server) apply(r *http.Request, body []byte) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &call{Request: r, raw: body, now: s.options.Clock.Now().UTC(), prefix: s.options.Prefix, repository: s.options.Repository}
	answer := s.decide(c)
	s.limits.write(answer.header, s.options.Hourly)
	return answer
}

// decide asks GitHub's questions in GitHub's order.
func (s *Server) decide(c *call) reply {
	if s.options.Hourly > 0 && s.limits.used > s.options.Hourly {
		return c.primaryLimit()
	}
	if !s.accepts(c.Header.Get("Authorization")) {
		return c.failed(http.StatusUnauthorized, "Bad credentials")
	}
	route, params := s.find(c)
	if route == nil {
		s.problem(c, "there is no such operation among those that testdata/github/prune.mjs lists; a name in a path needs escaping")
		return c.failed(http.StatusNotFound, "Not Found")
	}
	op := s.operations[route.Operation.OperationID]
	c.params, c.docs = params, op.docs
	if !strings.EqualFold(params["owner"]+"/"+params["repo"], s.options.Repository) {
		return c.failed(http.StatusNotFound, "Not Found")
	}
	if !s.permits(op.needs) {
		return c.failed(http.StatusForbidden, "Resource not accessible by integration").with("X-Accepted-GitHub-Permissions", op.needs)
	}
	if c.Method != http.MethodGet && s.limits.countWrite(c.now, s.options.Writes) {
		return c.contentLimit()
	}
	if err := validate(c, route); err != nil {
		s.problem(c, err.Error())
		return c.failed(http.StatusUnprocessableEntity, "Invalid request.\n\n"+err.Error())
	}
	for _, name := range unknown(c, route) {
		s.problem(c, name+" is not in GitHub's description, and GitHub ignores it")
	}
	return op.handle(s, c).with("X-Accepted-GitHub-Permissions", op.needs)
}

func (s *Server) accepts(authorization string) bool {
	if s.options.Token == "" {
		return true
	}
	scheme, token, _ := strings.Cut(authorization, " ")
	return (strings.EqualFold(scheme, "bearer") || strings.EqualFold(scheme, "token")) && token == s.options.Token
}

func (s *Server) problem(c *call, what string) {
	s.problems = append(s.problems, fmt.Sprintf("%s %s: %s", c.Method, c.URL.RequestURI(), what))
}
