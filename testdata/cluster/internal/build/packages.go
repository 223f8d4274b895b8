package build

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// debian names the package of each program and file that the cluster takes from the distribution.
var debian = []struct{ file, pkg string }{
	{"etcd", "etcd-server"},
	{"containerd", "containerd"},
	{"ctr", "containerd"},
	{"runc", "runc"},
	{"prometheus", "prometheus"},
	{"ip", "iproute2"},
	{"iptables-restore", "iptables"},
	{"conntrack", "conntrack"},
	{CNI + "/ptp", "containernetworking-plugins"},
	{CNI + "/host-local", "containernetworking-plugins"},
}

// CNI is where Debian installs network plugins.
const CNI = "/usr/lib/cni"

func missing() []string {
	var pkgs []string
	for _, d := range debian {
		if _, err := exec.LookPath(d.file); err != nil && !strings.Contains(strings.Join(pkgs, " ")+" ", d.pkg+" ") {
			pkgs = append(pkgs, d.pkg)
		}
	}
	return pkgs
}

// packages installs what is missing.
func (b Builder) packages(ctx context.Context) error {
	pkgs := missing()
	if len(pkgs) == 0 {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		return fmt.Errorf("install these first (their names on Debian): %s", strings.Join(pkgs, " "))
	}
	b.Say("installing %s", strings.Join(pkgs, " "))
	env := []string{"DEBIAN_FRONTEND=noninteractive"}
	if err := b.run(ctx, "/", env, "apt-get", "update", "-q"); err != nil {
		return err
	}
	if err := b.run(ctx, "/", env, "apt-get", append([]string{"install", "-q", "-y", "--no-install-recommends"}, pkgs...)...); err != nil {
		return err
	}
	if pkgs := missing(); len(pkgs) > 0 {
		return fmt.Errorf("still missing after apt-get install: %s", strings.Join(pkgs, " "))
	}
	return nil
}
