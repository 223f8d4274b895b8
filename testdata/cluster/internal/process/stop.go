package process

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Stop ends a recorded process, politely at first, and removes its record. One that is gone is no error.
func (t Table) Stop(name string, patience time.Duration) error {
	r, ok := t.Lookup(name)
	if ok && r.Alive() {
		if err := r.end(patience); err != nil {
			return fmt.Errorf("stop %s (pid %d): %w", name, r.PID, err)
		}
	}
	if err := os.Remove(t.file(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func (r Record) end(patience time.Duration) error {
	if err := signal(r.PID, syscall.SIGTERM); err != nil {
		return err
	}
	if gone(r.Alive, patience) {
		return nil
	}
	if err := signal(r.PID, syscall.SIGKILL); err != nil {
		return err
	}
	if !gone(r.Alive, 5*time.Second) {
		return errors.New("it does not end, not even by SIGKILL")
	}
	return nil
}

// Kill ends processes at once and waits until they are gone.
func Kill(pids []int) error {
	var errs []error
	for _, pid := range pids {
		start, ok := started(pid)
		if !ok {
			continue
		}
		errs = append(errs, signal(pid, syscall.SIGKILL))
		alive := func() bool { s, ok := started(pid); return ok && s == start }
		if !gone(alive, 5*time.Second) {
			errs = append(errs, fmt.Errorf("pid %d does not end", pid))
		}
	}
	return errors.Join(errs...)
}

func signal(pid int, s syscall.Signal) error {
	if err := syscall.Kill(pid, s); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}

func gone(alive func() bool, within time.Duration) bool {
	end := time.NewTimer(within)
	defer end.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for alive() {
		select {
		case <-end.C:
			return false
		case <-tick.C:
		}
	}
	return true
}

func pids() []int {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1) // what could be read will do
	var pids []int
	for _, n := range names {
		if pid, err := strconv.Atoi(n); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

func argv(pid int) []string {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil || len(data) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(data), "\x00"), "\x00")
}
