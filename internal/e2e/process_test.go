package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait for a process.
const patience = 3 * time.Minute

// process is a tidegate at work.
type process struct {
	t           testing.TB
	cmd         *exec.Cmd
	out, log    output
	begun       time.Time
	done        chan struct{}
	ended       time.Time // set when done is closed, as is code
	code        int
	description string
}

// output is what a process has said so far.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// start runs tidegate in the shop's folder.
func (s *shop) start(args ...string) *process {
	s.t.Helper()
	p := &process{t: s.t, cmd: exec.Command(binary, args...), done: make(chan struct{}), description: "tidegate " + strings.Join(args, " ")}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = s.dir, &p.out, &p.log
	p.cmd.Env = append([]string{"KUBECONFIG=" + s.kubeconfig, "PROMETHEUS_URL=" + s.prometheus, "HOME=" + s.dir,
		"PATH=" + os.Getenv("PATH")}, s.env...)
	p.begun = time.Now()
	if err := p.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() {
		err := p.cmd.Wait()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			fmt.Fprintln(&p.log, "wait:", err)
		}
		p.code, p.ended = p.cmd.ProcessState.ExitCode(), time.Now()
		close(p.done)
	}()
	s.t.Cleanup(p.end)
	return p
}

// end kills what still runs, and shows a failed test what was said.
func (p *process) end() {
	select {
	case <-p.done:
	default:
		p.kill()
	}
	if p.t.Failed() {
		p.t.Logf("── %s: exit %d after %s ──\n%s%s", p.description, p.code, p.ended.Sub(p.begun).Round(time.Millisecond), p.log.String(), p.out.String())
	}
}

// kill ends the process at once, as a lost machine does.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.done
}

func (p *process) signal(sig syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatal(err)
	}
}

// deploy starts a rollout of a version.
func (s *shop) deploy(version string, args ...string) *process {
	s.t.Helper()
	return s.start(append([]string{"deploy", "--image", image(version)}, args...)...)
}

// run waits for the end of a command and wants this exit code.
func (s *shop) run(code int, args ...string) *process {
	s.t.Helper()
	p := s.start(args...)
	p.want(code)
	return p
}

// want waits for the end and this exit code.
func (p *process) want(code int) {
	p.t.Helper()
	if got := p.wait(patience); got != code {
		p.t.Fatalf("%s: exit %d, want %d", p.description, got, code)
	}
}

func (p *process) wait(within time.Duration) int {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(within):
		p.t.Fatalf("%s: still running after %s", p.description, within)
	}
	return p.code
}

func (p *process) took() time.Duration { return p.ended.Sub(p.begun) }

// said is all that was said so far.
func (p *process) said() string { return p.log.String() + p.out.String() }

// reach waits until a step has started.
func (p *process) reach(step string) {
	p.t.Helper()
	p.tells(`(?m)^\d\d:\d\d:\d\d  ` + regexp.QuoteMeta(step) + ` `)
}

// hold waits until a step is in force and holds.
func (p *process) hold(step string) {
	p.t.Helper()
	p.tells(`(?m)^\d\d:\d\d:\d\d  ` + regexp.QuoteMeta(step) + ` .*in force`)
}

// tells waits until the process has said what the expression matches.
func (p *process) tells(expression string) {
	p.t.Helper()
	re := regexp.MustCompile(expression)
	for end := time.Now().Add(patience); !re.MatchString(p.said()); time.Sleep(10 * time.Millisecond) {
		select {
		case <-p.done:
			if re.MatchString(p.said()) {
				return
			}
			p.t.Fatalf("%s: exit %d without saying %s", p.description, p.code, expression)
		default:
		}
		if time.Now().After(end) {
			p.t.Fatalf("%s: has not said %s after %s", p.description, expression, patience)
		}
	}
}

// mentions wants these words in what an ended process said.
func (p *process) mentions(words ...string) {
	p.t.Helper()
	for _, w := range words {
		if !strings.Contains(p.said(), w) {
			p.t.Errorf("%s does not say %q", p.description, w)
		}
	}
}

// read decodes the JSON that a process printed.
func (p *process) read(to any) {
	p.t.Helper()
	if err := json.Unmarshal([]byte(p.out.String()), to); err != nil {
		p.t.Fatalf("%s: %v", p.description, err)
	}
}
