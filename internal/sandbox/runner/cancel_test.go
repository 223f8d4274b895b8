package runner_test

import (
	"context"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/sandbox/runner"
)

func short() runner.Grace {
	return runner.Grace{Interrupt: 150 * time.Millisecond, Terminate: 100 * time.Millisecond, Window: time.Minute}
}

func TestCancel(t *testing.T) {
	for _, tt := range []struct {
		name     string
		play     []string
		survival runner.Survival
		signals  string
		code     int
		log      string
		lives    bool
	}{
		{"ends at once", []string{"catch", print("ready"), "until interrupt", "exit 130"}, runner.Reached, "SIGINT", 130, "got interrupt", false},
		{"answers with success", []string{"catch", print("ready"), "until interrupt"}, runner.Reached, "SIGINT", 0, "got interrupt", false},
		{"does not catch", []string{print("ready"), "hang"}, runner.Reached, "SIGINT", 130, "ready", false},
		{"ends at SIGTERM", []string{"catch", print("ready"), "until terminated", "exit 143"}, runner.Reached, "SIGINT SIGTERM", 143,
			"got interrupt\ngot terminated", false},
		{"ends never", []string{"catch", print("ready"), "until doomsday"}, runner.Reached, "SIGINT SIGTERM SIGKILL", 137, "got interrupt\ngot terminated", false},
		{"survives the kill", []string{"catch", print("ready"), "until doomsday"}, runner.KillMisses, "SIGINT SIGTERM SIGKILL", 137,
			"got interrupt\ngot terminated", true},
		{"survives all", []string{"catch", print("ready"), "until doomsday"}, runner.Unreached, "SIGINT SIGTERM SIGKILL", 137, "ready", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := job(t, append([]string{write("GITHUB_STATE", "rollout=r-1\n"), write("GITHUB_OUTPUT", "result=cancelled\n")}, tt.play...)...)
			j.Env["PLAY_POST"] = "env"
			j.Grace, j.Survival = short(), tt.survival
			s := start(t, j, nil)
			await(t, s, "ready")
			s.Cancel()
			o := s.Wait()
			if got := strings.Join(o.Signals, " "); got != tt.signals || o.ExitCode != tt.code || o.Conclusion != "cancelled" {
				t.Errorf("signals %s, exit code %d, %s", got, o.ExitCode, o.Conclusion)
			}
			if !strings.HasSuffix(o.Log, tt.log) || o.Outputs["result"] != "cancelled" {
				t.Errorf("outputs %q, log:\n%s", o.Outputs, o.Log)
			}
			if tt.code == 137 && o.Duration < short().Interrupt+short().Terminate {
				t.Errorf("killed after %s", o.Duration)
			}
			if lives := syscall.Kill(s.PID(), 0) == nil; lives != tt.lives {
				t.Errorf("the process lives: %t", lives)
			}
			post, err := s.Post(within(t))
			if err != nil {
				t.Fatal(err)
			}
			contains(t, "log of post", post.Wait().Log, `env "STATE_rollout=r-1"`)
			s.End()
			if syscall.Kill(s.PID(), 0) == nil {
				t.Error("the process lives after its end")
			}
		})
	}
}

// TestSurvivorGoesOn: what the survivor does is seen in the world and not in the step.
func TestSurvivorGoesOn(t *testing.T) {
	j := job(t)
	mark := j.Temp() + "/mark"
	j.Env["PLAY"] = strings.Join([]string{"catch", print("ready"), "until terminated", print("late"), "touch " + mark + ` "done"`, write("GITHUB_OUTPUT", "result=late\n")}, "\n")
	j.Grace, j.Survival = short(), runner.Unreached
	s := start(t, j, nil)
	await(t, s, "ready")
	s.Cancel()
	if err := syscall.Kill(s.PID(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-s.Gone()
	if o := s.Wait(); o.Log != "ready" || s.Log() != "ready" || len(o.Outputs) != 0 {
		t.Errorf("outputs %q, log:\n%s", o.Outputs, o.Log)
	}
	j.Env["PLAY"] = "read " + mark
	contains(t, "the mark", start(t, j, nil).Wait().Log, `"done" <nil>`)
}

// TestWindow: a post step that is too long is killed, one that is too late does not start.
func TestWindow(t *testing.T) {
	j := job(t, print("ready"), "hang")
	j.Env["PLAY_POST"] = print("cleaning") + "\nhang"
	j.Grace = short()
	j.Grace.Window = 400 * time.Millisecond
	s := start(t, j, nil)
	await(t, s, "ready")
	s.Cancel()
	post, err := s.Post(within(t))
	if err != nil {
		t.Fatal(err)
	}
	if o := post.Wait(); o.Conclusion != runner.Lost || o.ExitCode != 137 || !slices.Equal(o.Signals, []string{"SIGKILL"}) ||
		len(o.Problems) != 1 || !strings.Contains(o.Problems[0], "the window after the cancellation ended") {
		t.Errorf("%+v", o)
	}
	if _, err := s.Post(within(t)); err == nil || !strings.Contains(err.Error(), "call Post sooner") {
		t.Errorf("error %v", err)
	}
}

// TestKill: a forced cancellation leaves nothing behind but the log, and no post step.
func TestKill(t *testing.T) {
	s := start(t, job(t, "catch", write("GITHUB_OUTPUT", "result=x\n"), print("ready"), "until doomsday"), nil)
	await(t, s, "ready")
	s.Kill()
	if o := s.Wait(); o.Conclusion != runner.Lost || o.ExitCode != 137 || len(o.Outputs) != 0 || o.Log != "ready" {
		t.Errorf("%+v", o)
	}
	if _, err := s.Post(within(t)); err == nil || !strings.Contains(err.Error(), "no post step follows") {
		t.Errorf("error %v", err)
	}
}

// TestTooLate: a step that is over stays as it is.
func TestTooLate(t *testing.T) {
	s := start(t, job(t, print("done")), nil)
	s.Wait()
	s.Cancel()
	s.Kill()
	s.End()
	if o := s.Wait(); o.Conclusion != "success" || len(o.Signals) > 0 {
		t.Errorf("%+v", o)
	}
	if err := s.Await(within(t), "never"); err == nil || !strings.Contains(err.Error(), "never printed") {
		t.Errorf("error %v", err)
	}
}

// TestLastLine: a line counts though the process ended before its end.
func TestLastLine(t *testing.T) {
	if o := outcome(t, print("a"), `say "::warning::b"`); len(o.Annotations) != 1 || o.Log != "a\n##[warning]b" {
		t.Errorf("%+v", o)
	}
}

// TestContext: whatever survives does not survive the test.
func TestContext(t *testing.T) {
	j := job(t, "catch", print("ready"), "until doomsday")
	j.Survival = runner.Unreached
	ctx, cancel := context.WithCancel(t.Context())
	s, err := j.Start(ctx, action(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	await(t, s, "ready")
	s.Kill()
	if syscall.Kill(s.PID(), 0) != nil {
		t.Error("the process has not survived its kill")
	}
	cancel()
	<-s.Gone()
}

// TestGitHubGrace: by default it is 7.5 s, 2.5 s, and five minutes in all, by the job's clock.
func TestGitHubGrace(t *testing.T) {
	v := clock.NewVirtual(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	j := job(t, "catch", print("ready"), "until doomsday")
	j.Env["PLAY_POST"] = "catch\n" + print("ready") + "\nuntil doomsday"
	j.Clock = v
	s := start(t, j, nil)
	await(t, s, "ready")
	go s.Cancel()
	began := v.Now()
	for _, want := range []time.Duration{7500 * time.Millisecond, 10 * time.Second} {
		if !v.Step(nil) || v.Now().Sub(began) != want {
			t.Fatalf("after %s, want %s", v.Now().Sub(began), want)
		}
	}
	if o := s.Wait(); o.Duration != 10*time.Second || o.Conclusion != "cancelled" {
		t.Errorf("%s after %s", o.Conclusion, o.Duration)
	}
	post, err := s.Post(within(t))
	if err != nil {
		t.Fatal(err)
	}
	await(t, post, "ready")
	if !v.Step(nil) || v.Now().Sub(began) != 5*time.Minute {
		t.Errorf("the window is %s", v.Now().Sub(began))
	}
	if o := post.Wait(); o.Conclusion != runner.Lost {
		t.Errorf("post: %s", o.Conclusion)
	}
}
