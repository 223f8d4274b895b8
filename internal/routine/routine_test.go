package routine_test

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/routine"
)

// TestPanic: a panic is told as what it is and ends with 1: Go's own 2 would say that nothing was touched.
func TestPanic(t *testing.T) {
	if os.Getenv("ROUTINE_PANICS") != "" {
		routine.Go(func() { panic("the tide turned") })
		select {}
	}
	cmd := exec.Command(os.Args[0], "-test.run=TestPanic")
	cmd.Env = append(os.Environ(), "ROUTINE_PANICS=yes")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Fatalf("%v:\n%s", err, out)
	}
	for _, want := range []string{"internal error: the tide turned", "routine_test.go", "tidegate abort"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%q is not told:\n%s", want, out)
		}
	}
}

func TestGo(t *testing.T) {
	done := make(chan struct{})
	routine.Go(func() { close(done) })
	<-done
}
