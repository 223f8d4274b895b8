package process

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func table(t *testing.T) Table {
	t.Helper()
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("needs /proc: run it on Linux")
	}
	return Table{Records: t.TempDir(), Logs: t.TempDir()}
}

func TestStartStop(t *testing.T) {
	tab := table(t)
	spec := Spec{Name: "sleeper", Path: "/bin/sh", Args: []string{"-c", "echo $GREETING; exec sleep 60"}, Env: []string{"GREETING=hello"}}
	if err := tab.Start(spec); err != nil {
		t.Fatal(err)
	}
	r, ok := tab.Lookup("sleeper")
	if !ok || !r.Alive() {
		t.Fatalf("record %+v, %v", r, ok)
	}
	if err := tab.Start(spec); err != nil {
		t.Fatal(err)
	}
	if again, _ := tab.Lookup("sleeper"); again != r {
		t.Errorf("a second start made another process: %+v, not %+v", again, r)
	}
	if names := tab.Names(); !slices.Equal(names, []string{"sleeper"}) {
		t.Errorf("names %v", names)
	}
	if !gone(func() bool {
		log, _ := os.ReadFile(filepath.Join(tab.Logs, "sleeper.log"))
		return string(log) != "hello\n"
	}, 5*time.Second) {
		t.Error("its log lacks the greeting")
	}
	for range 2 {
		if err := tab.Stop("sleeper", time.Second); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := tab.Lookup("sleeper"); ok || r.Alive() {
		t.Error("still there after Stop")
	}
}

func TestStopKillsTheStubborn(t *testing.T) {
	tab := table(t)
	if err := tab.Start(Spec{Name: "stubborn", Path: "/bin/sh", Args: []string{"-c", "trap '' TERM; echo ready; while :; do sleep 1; done"}}); err != nil {
		t.Fatal(err)
	}
	gone(func() bool { log, _ := os.ReadFile(filepath.Join(tab.Logs, "stubborn.log")); return len(log) == 0 }, 5*time.Second)
	r, _ := tab.Lookup("stubborn")
	if err := tab.Stop("stubborn", 50*time.Millisecond); err != nil || r.Alive() {
		t.Errorf("alive %v, error %v", r.Alive(), err)
	}
}

func TestAnotherProcessOfTheSameNumberIsLeftAlone(t *testing.T) {
	tab := table(t)
	if err := tab.save(Spec{Name: "me"}, os.Getpid()); err != nil {
		t.Fatal(err)
	}
	r, _ := tab.Lookup("me")
	if !r.Alive() {
		t.Fatal("this process does not fit its own record")
	}
	for _, change := range []func(*Record){func(r *Record) { r.Start += "0" }, func(r *Record) { r.Boot = "earlier" }} {
		other := r
		change(&other)
		if other.Alive() {
			t.Errorf("%+v fits this process", other)
		}
	}
}

func TestDescendants(t *testing.T) {
	tab := table(t)
	marker := filepath.Join(tab.Logs, "marker")
	if err := tab.Start(Spec{Name: "parent", Path: "/bin/sh", Args: []string{"-c", "sleep 60 & sleep 60 & wait", marker}}); err != nil {
		t.Fatal(err)
	}
	find := func() []int {
		return Descendants(func(_ int, argv []string) bool { return argv[len(argv)-1] == marker })
	}
	gone(func() bool { return len(find()) < 3 }, 5*time.Second)
	all := find()
	if len(all) != 3 {
		t.Fatalf("found %v", all)
	}
	if err := Kill(all); err != nil {
		t.Fatal(err)
	}
	if left := find(); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}
