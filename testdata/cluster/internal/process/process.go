package process

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Spec is a program to run.
type Spec struct {
	Name string // of the record and the log
	Path string
	Args []string
	Env  []string // in addition to the starter's
}

// Table is the records in one folder, with the programs' logs in another.
type Table struct {
	Records, Logs string
}

// Record tells one process from every other.
type Record struct {
	Name  string `json:"name"`
	PID   int    `json:"pid"`
	Boot  string `json:"boot"`
	Start string `json:"start"` // clock ticks after boot
	Path  string `json:"path"`
}

// Start runs s in a session of its own and records it. It does nothing when the recorded one is alive.
func (t Table) Start(s Spec) error {
	if r, ok := t.Lookup(s.Name); ok && r.Alive() {
		return nil
	}
	log, err := os.Create(filepath.Join(t.Logs, s.Name+".log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(s.Path, s.Args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(os.Environ(), s.Env...)
	cmd.Dir = t.Records
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", s.Name, err)
	}
	go cmd.Wait() // so that one that dies early is not left a zombie
	if err := t.save(s, cmd.Process.Pid); err != nil {
		return fmt.Errorf("record %s: %w", s.Name, err)
	}
	return nil
}

func (t Table) save(s Spec, pid int) error {
	r := Record{Name: s.Name, PID: pid, Boot: boot(), Path: s.Path}
	r.Start, _ = started(pid) // a process that is gone already has none, and fits nothing
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return os.WriteFile(t.file(s.Name), data, 0o600)
}

func (t Table) file(name string) string { return filepath.Join(t.Records, name+".pid") }

// Lookup reads a record.
func (t Table) Lookup(name string) (Record, bool) {
	data, err := os.ReadFile(t.file(name))
	if err != nil {
		return Record{}, false
	}
	var r Record
	return r, json.Unmarshal(data, &r) == nil && r.PID > 0
}

// Names lists what is recorded.
func (t Table) Names() []string {
	files, _ := filepath.Glob(t.file("*")) // the pattern is well-formed
	for i, f := range files {
		files[i] = strings.TrimSuffix(filepath.Base(f), ".pid")
	}
	return files
}

// Alive tells whether the very process that was recorded still runs.
func (r Record) Alive() bool {
	start, ok := started(r.PID)
	return ok && start == r.Start && boot() == r.Boot
}

// started is when pid began, in clock ticks; false when there is no such process, or only its remains.
func started(pid int) (string, bool) {
	f, ok := stat(pid)
	if !ok || f[0] == "Z" || f[0] == "X" {
		return "", false
	}
	return f[19], true
}

// stat is /proc/pid/stat from the third field (state) on; the second, a name, may contain anything.
func stat(pid int) ([]string, bool) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, false
	}
	f := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
	return f, len(f) > 19
}

func boot() string {
	data, _ := os.ReadFile("/proc/sys/kernel/random/boot_id") // without one, pid and start must do
	return strings.TrimSpace(string(data))
}

// Descendants are the children of the processes that match, their children, and so on; first those that match.
func Descendants(match func(pid int, argv []string) bool) []int {
	children := map[int][]int{}
	var all []int
	for _, pid := range pids() {
		if f, ok := stat(pid); ok {
			var parent int
			fmt.Sscan(f[1], &parent)
			children[parent] = append(children[parent], pid)
		}
		if argv := argv(pid); len(argv) > 0 && match(pid, argv) {
			all = append(all, pid)
		}
	}
	for i := 0; i < len(all); i++ {
		for _, c := range children[all[i]] {
			if !slices.Contains(all, c) {
				all = append(all, c)
			}
		}
	}
	return all
}
