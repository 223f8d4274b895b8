package network

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
)

// AddBridge makes a bridge that nothing is plugged into, and gives it the address. A bridge of the name is kept.
func AddBridge(name, address string) error {
	if _, err := net.InterfaceByName(name); err != nil {
		if err := run("ip", "link", "add", name, "type", "bridge"); err != nil {
			return err
		}
	}
	if err := run("ip", "address", "replace", address+"/32", "dev", name); err != nil {
		return err
	}
	return run("ip", "link", "set", name, "up")
}

// RemoveBridge removes it, if it is there.
func RemoveBridge(name string) error {
	if _, err := net.InterfaceByName(name); err != nil {
		return nil
	}
	return run("ip", "link", "delete", name)
}

// KeepLocal routes the services' and the pods' addresses so that no packet to one that does not exist (any more) leaves the
// machine by its default route. A service's is rewritten to a pod's after the first look at the routes, which therefore must
// find one; a pod's own route, while there is one, is more specific than this refusal.
func KeepLocal(bridge, services, pods string) error {
	if err := run("ip", "route", "replace", services, "dev", bridge); err != nil {
		return err
	}
	return run("ip", "route", "replace", "unreachable", pods)
}

// RemoveRefusal removes what KeepLocal made for pods; the other route goes with the bridge.
func RemoveRefusal(pods string) error {
	out, err := exec.Command("ip", "route", "show", "type", "unreachable", "exact", pods).Output()
	if err != nil || len(bytes.TrimSpace(out)) == 0 {
		return err
	}
	return run("ip", "route", "delete", "unreachable", pods)
}

// Free is an error when something else listens on one of the addresses.
func Free(addresses ...string) error {
	var used []string
	for _, a := range addresses {
		l, err := net.Listen("tcp", a)
		if err != nil {
			used = append(used, a)
			continue
		}
		l.Close()
	}
	if len(used) > 0 {
		return fmt.Errorf("%s: in use: stop what listens there (another cluster?)", strings.Join(used, ", "))
	}
	return nil
}

// Clean removes every iptables chain whose name starts with one of the prefixes, with the rules that jump to them.
func Clean(prefixes ...string) error {
	var errs []error
	for _, family := range []string{"iptables", "ip6tables"} {
		saved, err := exec.Command(family + "-save").Output()
		if err != nil {
			continue // a machine without the family has no rules of it
		}
		script := removal(string(saved), prefixes)
		if script == "" {
			continue
		}
		errs = append(errs, runWith(script, family+"-restore", "--noflush"))
	}
	return errors.Join(errs...)
}

// removal turns what iptables-save printed into what iptables-restore needs to remove the chains.
func removal(saved string, prefixes []string) string {
	ours := func(chain string) bool {
		for _, p := range prefixes {
			if strings.HasPrefix(chain, p) {
				return true
			}
		}
		return false
	}
	var out strings.Builder
	var flush, jumps, drop []string
	table := ""
	for line := range strings.Lines(saved) {
		line = strings.TrimSpace(line)
		fields := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "*"):
			table, flush, jumps, drop = line, nil, nil, nil
		case strings.HasPrefix(line, ":") && ours(fields[0][1:]):
			flush = append(flush, fields[0]+" - [0:0]")
			drop = append(drop, "-X "+fields[0][1:])
		case strings.HasPrefix(line, "-A ") && !ours(fields[1]) && ours(target(fields)):
			jumps = append(jumps, "-D "+strings.TrimPrefix(line, "-A "))
		case line == "COMMIT" && len(drop) > 0:
			lines := append(append(append([]string{table}, flush...), jumps...), drop...)
			out.WriteString(strings.Join(lines, "\n") + "\nCOMMIT\n")
		}
	}
	return out.String()
}

func target(rule []string) string {
	for i := len(rule) - 2; i > 0; i-- { // from the end: a comment may contain the same
		if rule[i] == "-j" || rule[i] == "-g" {
			return rule[i+1]
		}
	}
	return ""
}

func run(name string, args ...string) error { return runWith("", name, args...) }

func runWith(stdin, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}

// Settings reads kernel settings, by their paths under /proc/sys; those that this kernel lacks are left out.
func Settings(names []string) map[string]string {
	values := map[string]string{}
	for _, n := range names {
		if data, err := os.ReadFile("/proc/sys/" + n); err == nil {
			values[n] = strings.TrimSpace(string(data))
		}
	}
	return values
}

// Restore writes the settings back that have changed.
func Restore(values map[string]string) error {
	var errs []error
	for n, v := range values {
		if Settings([]string{n})[n] != v {
			errs = append(errs, os.WriteFile("/proc/sys/"+n, []byte(v), 0o644))
		}
	}
	return errors.Join(errs...)
}
