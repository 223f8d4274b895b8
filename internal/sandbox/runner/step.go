package runner

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/routine"
)

// Step is an entrypoint of an action at work, or what became of it.
type Step struct {
	job    *Job
	action Action
	with   map[string]string
	files  files
	sink   *sink
	out    *stream
	err    *stream
	cmd    *exec.Cmd
	began  time.Time

	mu        sync.Mutex
	signals   []string
	cancelled time.Time // zero: not cancelled
	lost      bool

	once    sync.Once
	outcome Outcome
	done    chan struct{} // docker's client has ended: the step is over
	gone    chan struct{} // the process itself has ended
}

// Start runs the action's main entrypoint. The process ends with ctx at the latest.
func (j *Job) Start(ctx context.Context, a Action, with map[string]string) (*Step, error) {
	return j.start(ctx, a, with, a.Runs.Entrypoint, nil)
}

// Post runs the action's post-entrypoint when main is over, with the state that main saved. After a cancellation it is
// killed when the window ends.
func (s *Step) Post(ctx context.Context) (*Step, error) {
	main := s.Wait()
	switch {
	case s.action.Runs.PostEntrypoint == "":
		return nil, errors.New("the action has no post-entrypoint: add one to its runs")
	case main.Conclusion == Lost:
		return nil, errors.New("no post step follows when the runner is lost or the cancellation forced: start another job")
	}
	s.mu.Lock()
	cancelled := s.cancelled
	s.mu.Unlock()
	if cancelled.IsZero() {
		return s.job.start(ctx, s.action, s.with, s.action.Runs.PostEntrypoint, main.State)
	}
	left := s.job.Grace.Window - s.job.Clock.Now().Sub(cancelled)
	if left <= 0 {
		return nil, fmt.Errorf("no post step starts later than %s after the cancellation: call Post sooner", s.job.Grace.Window)
	}
	post, err := s.job.start(ctx, s.action, s.with, s.action.Runs.PostEntrypoint, main.State)
	if err != nil {
		return nil, err
	}
	bounded, stop := clock.WithTimeout(ctx, s.job.Clock, left, errWindow)
	routine.Go(func() {
		defer stop()
		select {
		case <-bounded.Done():
			if errors.Is(context.Cause(bounded), errWindow) {
				post.sinkProblem("the window after the cancellation ended and the post step was killed")
				post.Kill()
			}
		case <-post.done:
		}
	})
	return post, nil
}

var errWindow = errors.New("the window after the cancellation has ended")

func (j *Job) start(ctx context.Context, a Action, with map[string]string, entrypoint string, state map[string]string) (*Step, error) {
	f, scratch, err := j.prepare()
	if err != nil {
		return nil, err
	}
	s := &Step{
		job: j, action: a, with: with, files: f, sink: newSink(j), began: j.Clock.Now(),
		done: make(chan struct{}), gone: make(chan struct{}),
	}
	s.out, s.err = &stream{to: s.sink}, &stream{to: s.sink}
	inputs, unknown := a.inputs(with, j.Token)
	s.warnOf(unknown)
	var args []string
	for _, arg := range a.Runs.Args {
		args = append(args, evaluate(arg, func(e string) string { return inputs[strings.TrimPrefix(e, "inputs.")] }))
	}
	s.cmd, err = j.Container.Start(Invocation{
		Entrypoint: entrypoint, Args: args, Env: j.environment(a, inputs, state, f), Mounts: j.Mounts(), Dir: j.Workspace(),
		Scratch: scratch, Stdout: s.out, Stderr: s.err,
	})
	if err != nil {
		return nil, fmt.Errorf("the container could not be started: %w", err)
	}
	routine.Go(func() {
		select {
		case <-ctx.Done():
			_ = s.cmd.Process.Kill()
		case <-s.gone:
		}
	})
	routine.Go(func() {
		_ = s.cmd.Wait() // its exit code is read below
		close(s.gone)
		s.finish(exitCode(s.cmd.ProcessState))
	})
	return s, nil
}

// Wait returns when the step is over.
func (s *Step) Wait() Outcome {
	<-s.done
	return s.outcome
}

// Log is the masked log so far.
func (s *Step) Log() string {
	log, _ := s.sink.log()
	return log
}

// Await waits until the log has text in it.
func (s *Step) Await(ctx context.Context, text string) error {
	for {
		log, changed := s.sink.log()
		if strings.Contains(log, text) {
			return nil
		}
		select {
		case <-changed:
		case <-s.done:
			if strings.Contains(s.Log(), text) {
				return nil
			}
			return fmt.Errorf("the step ended and never printed %q:\n%s", text, s.Log())
		case <-ctx.Done():
			return fmt.Errorf("the step has not printed %q: %w; so far:\n%s", text, context.Cause(ctx), s.Log())
		}
	}
}

// finish makes the outcome, once: when the process ends, or when docker's client does without it.
func (s *Step) finish(code int) {
	s.once.Do(func() {
		s.sink.end(s.out, s.err)
		s.sink.mu.Lock()
		defer s.sink.mu.Unlock()
		s.mu.Lock()
		defer s.mu.Unlock()
		o := Outcome{Duration: s.job.Clock.Now().Sub(s.began), Signals: s.signals}
		switch {
		case s.lost:
			o.Conclusion = Lost
		case !s.cancelled.IsZero():
			o.Conclusion = Cancelled
		}
		if !s.lost {
			o.read(s.files, s.action, s.sink)
			s.job.carry(o.Env)
		}
		o.exit(code, s.sink)
		o.Log = strings.Join(s.sink.lines, "\n")
		o.Annotations, o.Groups, o.Problems = s.sink.annotations, s.sink.groups, s.sink.problems
		s.outcome = o
		close(s.done)
	})
}
