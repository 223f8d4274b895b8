package runner

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"
)

// sink takes a step's lines as they come and keeps what GitHub keeps of them.
type sink struct {
	masks     *masks
	mounts    []Mount
	workspace string

	mu          sync.Mutex
	lines       []string // masked
	annotations []Annotation
	count       map[string]int
	groups      []Group
	open        bool   // whether the last group takes lines
	stopped     string // the word that ends stop-commands
	debug       bool
	failed      bool
	problems    []string
	outputs     map[string]string
	state       map[string]string
	closed      bool
	changed     chan struct{} // closed and replaced with every line
}

func newSink(j *Job) *sink {
	return &sink{
		masks: j.masks, mounts: j.Mounts(), workspace: j.Workspace(), count: map[string]int{},
		outputs: map[string]string{}, state: map[string]string{}, changed: make(chan struct{}),
		debug: j.Env["RUNNER_DEBUG"] == "1",
	}
}

// stream cuts one of a process's streams into lines.
type stream struct {
	to   *sink
	rest []byte
}

// Write never fails: a process that outlives docker's client does not notice that nobody reads any more.
func (s *stream) Write(b []byte) (int, error) {
	s.to.mu.Lock()
	defer s.to.mu.Unlock()
	if s.to.closed {
		return len(b), nil
	}
	s.rest = append(s.rest, b...)
	for {
		line, rest, ok := bytes.Cut(s.rest, []byte("\n"))
		if !ok {
			return len(b), nil
		}
		s.rest = rest
		s.to.line(strings.TrimSuffix(string(line), "\r"))
	}
}

// end takes the last line of the streams and no more.
func (s *sink) end(streams ...*stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, st := range streams {
		if len(st.rest) > 0 {
			s.line(string(st.rest))
			st.rest = nil
		}
	}
	if s.stopped != "" {
		s.problem("stop-commands was not ended by ::%s::, so nothing after it was heard", s.stopped)
	}
	if s.open {
		s.problem("the group %q was not ended", s.groups[len(s.groups)-1].Title)
	}
	s.closed = true
}

// line takes one line; the lock is held.
func (s *sink) line(line string) {
	names := known()
	if s.stopped != "" {
		names = []string{s.stopped}
	}
	c, ok := parse(line, names)
	switch {
	case ok && s.stopped != "":
		s.stopped = ""
		s.write(line)
	case ok:
		s.command(c, line)
	default:
		if s.stopped == "" && looksLike(line) {
			s.problem("%q looks like a command and is none: GitHub shows it as text", s.masks.apply(line))
		}
		s.write(line)
	}
}

// write puts a line into the log.
func (s *sink) write(line string) {
	line = s.masks.apply(line)
	s.lines = append(s.lines, line)
	if s.open {
		g := &s.groups[len(s.groups)-1]
		g.Lines = append(g.Lines, line)
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *sink) problem(format string, args ...any) {
	s.problems = append(s.problems, s.masks.apply(fmt.Sprintf(format, args...)))
}

// fail is an error of the runner's own, which fails the step.
func (s *sink) fail(message string) {
	s.failed = true
	s.problem("%s", message)
	s.issue(Annotation{Level: "error", Message: message})
}

// What GitHub shows of a step's annotations.
const (
	annotationsPerLevel = 10
	messageLimit        = 4096
)

// issue logs an annotation, and keeps it as long as GitHub does.
func (s *sink) issue(a Annotation) {
	s.write("##[" + a.Level + "]" + a.Message)
	a.Message, a.Title = s.masks.apply(a.Message), s.masks.apply(a.Title)
	if utf8.RuneCountInString(a.Message) > messageLimit {
		s.problem("the %s %.40q… is longer than %d characters and was cut", a.Level, a.Message, messageLimit)
		a.Message = string([]rune(a.Message)[:messageLimit])
	}
	if s.count[a.Level]++; s.count[a.Level] > annotationsPerLevel {
		s.problem("%q is annotation %d of level %s: GitHub shows %d", a.Message, s.count[a.Level], a.Level, annotationsPerLevel)
		return
	}
	s.annotations = append(s.annotations, a)
}

// log is the log so far, and the channel that is closed when more comes.
func (s *sink) log() (string, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.lines, "\n"), s.changed
}
