package runner

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

// Cancel is a person's click on "Cancel workflow": SIGINT, SIGTERM and SIGKILL with the job's grace between them. It
// returns when the step is over. A step that is over already stays as it is.
func (s *Step) Cancel() {
	s.mu.Lock()
	if s.cancelled.IsZero() && !s.over() {
		s.cancelled = s.job.Clock.Now()
	}
	s.mu.Unlock()
	for _, next := range []struct {
		signal syscall.Signal
		grace  time.Duration
	}{{syscall.SIGINT, s.job.Grace.Interrupt}, {syscall.SIGTERM, s.job.Grace.Terminate}} {
		s.send(next.signal)
		timer := s.job.Clock.NewTimer(next.grace)
		select {
		case <-s.done:
		case <-timer.C():
		}
		timer.Stop()
	}
	s.send(syscall.SIGKILL)
	<-s.done
}

// Kill is a forced cancellation, or a runner that is lost: the process gets SIGKILL if that reaches it, and GitHub learns
// no more of the step than its log.
func (s *Step) Kill() {
	s.mu.Lock()
	s.lost = s.lost || !s.over()
	s.mu.Unlock()
	s.send(syscall.SIGKILL)
	<-s.done
}

// End ends a process that has survived its step, and returns when it is gone.
func (s *Step) End() {
	_ = s.cmd.Process.Kill()
	<-s.gone
}

// Gone is closed when the process has ended: for one that survives, later than Wait returns.
func (s *Step) Gone() <-chan struct{} { return s.gone }

// PID is the process's number on the host.
func (s *Step) PID() int { return s.cmd.Process.Pid }

func (s *Step) over() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// send gives a signal to docker's client, which hands it on or does not.
func (s *Step) send(signal syscall.Signal) {
	s.mu.Lock()
	if s.over() {
		s.mu.Unlock()
		return
	}
	s.signals = append(s.signals, name(signal))
	s.mu.Unlock()
	kill := signal == syscall.SIGKILL
	if s.job.Survival == Reached || s.job.Survival == KillMisses && !kill {
		_ = s.cmd.Process.Signal(signal) // an error means that the process has just ended
	} else if kill {
		s.finish(128 + int(signal))
	}
}

func name(signal syscall.Signal) string {
	return map[syscall.Signal]string{syscall.SIGINT: "SIGINT", syscall.SIGTERM: "SIGTERM", syscall.SIGKILL: "SIGKILL"}[signal]
}

// exitCode is what docker's client ends with.
func exitCode(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return state.ExitCode()
}

func (s *Step) warnOf(unknown []string) {
	if len(unknown) == 0 {
		return
	}
	s.sink.mu.Lock()
	defer s.sink.mu.Unlock()
	message := fmt.Sprintf("Unexpected input(s) '%s'", strings.Join(unknown, "', '"))
	s.sink.problem("%s: they are not declared in action.yml", message)
	s.sink.issue(Annotation{Level: "warning", Message: message})
}

func (s *Step) sinkProblem(text string) {
	s.sink.mu.Lock()
	defer s.sink.mu.Unlock()
	s.sink.problem("%s", text)
}
