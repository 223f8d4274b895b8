//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/tidegate/tidegate/testdata/cluster/internal/layout"
	"github.com/tidegate/tidegate/testdata/cluster/internal/network"
	"github.com/tidegate/tidegate/testdata/cluster/internal/process"
)

// polite is how long a process may take to end before it is killed: nothing of the cluster is kept.
const polite = time.Second

// down ends the cluster and removes every trace of it, but for what was built and the logs.
func (c *cluster) down(context.Context) error {
	unlock, err := c.lock()
	if err != nil {
		return err
	}
	defer unlock()
	return c.clear()
}

// clear goes on after an error, so that it removes what it can, and may be repeated.
func (c *cluster) clear() error {
	err := errors.Join(
		c.stopAll(), // the kubelet and containerd are gone before their containers, or they would start others
		c.killContainers(),
		c.unmount(),
		c.cleanMachine(),
	)
	if err != nil {
		return fmt.Errorf("%w (repeat `down`; what it needs to know is kept)", err)
	}
	return errors.Join(os.RemoveAll(c.Description()), os.RemoveAll(c.Run()), os.RemoveAll(c.State()))
}

func (c *cluster) stopAll() error {
	var stops []func() error
	for _, name := range c.processes.Names() {
		stops = append(stops, func() error { return c.processes.Stop(name, polite) })
	}
	return together(stops...)
}

// killContainers ends the shims that serve this cluster's containerd, and the containers that are their children.
func (c *cluster) killContainers() error {
	return process.Kill(process.Descendants(func(_ int, argv []string) bool {
		return strings.HasPrefix(filepath.Base(argv[0]), "containerd-shim") && slices.Contains(argv, c.Socket())
	}))
}

// unmount detaches everything that is mounted in the cluster's folder, the innermost first.
func (c *cluster) unmount() error {
	info, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	var errs []error
	points := mountPoints(string(info), c.Dir)
	for _, p := range slices.Backward(points) {
		if err := syscall.Unmount(p, syscall.MNT_DETACH); err != nil && !errors.Is(err, syscall.EINVAL) {
			errs = append(errs, fmt.Errorf("unmount %s: %w", p, err))
		}
	}
	return errors.Join(errs...)
}

// mountPoints are those in the folder, outer before inner.
func mountPoints(mountinfo, dir string) []string {
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\134`, `\`)
	var points []string
	for line := range strings.Lines(mountinfo) {
		if f := strings.Fields(line); len(f) > 4 && strings.HasPrefix(f[4], dir+"/") {
			points = append(points, unescape.Replace(f[4]))
		}
	}
	return points
}

// cleanMachine removes what is outside the folder.
func (c *cluster) cleanMachine() error {
	if _, err := os.Stat(c.State()); err != nil {
		return nil // nothing was up
	}
	c.removeLeftovers()
	return errors.Join(
		network.RemoveBridge(layout.Bridge),
		network.RemoveRefusal(layout.PodNet),
		network.Clean("KUBE-", "CNI-"),
		c.restoreSettings(),
	)
}
