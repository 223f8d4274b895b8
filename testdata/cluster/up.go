//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/testdata/cluster/internal/build"
	"github.com/tidegate/tidegate/testdata/cluster/internal/layout"
)

// up starts whatever of the cluster does not run, and prints how to reach it.
func (c *cluster) up(ctx context.Context) error {
	unlock, err := c.lock()
	if err != nil {
		return err
	}
	defer unlock()
	if err := c.buildLocked(ctx); err != nil {
		return err
	}
	if !c.whole(ctx) {
		if err := c.prepare(); err != nil {
			return err
		}
		if err := c.bring(ctx); err != nil {
			return fmt.Errorf("%w (start again with `down`, then `up`)", err)
		}
		say("up; kubectl --kubeconfig %s", c.Kubeconfig())
	}
	return c.describe(os.Stdout)
}

// whole tells whether there is nothing to do.
func (c *cluster) whole(ctx context.Context) bool {
	if _, err := os.Stat(c.Description()); err != nil || c.imported() != build.Key(c.Bin(build.Images)) {
		return false
	}
	var checks []func() error
	for _, stage := range c.stages() {
		for _, part := range stage {
			checks = append(checks, func() error { return c.check(ctx, part) })
		}
	}
	return together(checks...) == nil
}

// bring starts what does not run. The images, the resource definitions and the processes that need neither are under way at
// the same time.
func (c *cluster) bring(ctx context.Context) error {
	stages := c.stages()
	if err := c.start(ctx, stages[0]); err != nil {
		return err
	}
	err := together(
		func() error { return c.importImages(ctx) },
		func() error {
			if err := c.start(ctx, stages[1]); err != nil {
				return err
			}
			return together(
				func() error { return c.start(ctx, stages[2]) },
				func() error {
					if err := c.defineResources(ctx); err != nil {
						return err
					}
					return c.start(ctx, stages[3])
				},
			)
		},
	)
	if err != nil {
		return err
	}
	if err := c.ready(ctx); err != nil {
		return err
	}
	return c.saveDescription()
}

func (c *cluster) anyAlive() bool {
	return slices.ContainsFunc(c.processes.Names(), func(name string) bool {
		r, ok := c.processes.Lookup(name)
		return ok && r.Alive()
	})
}

// start starts components and waits until they are healthy.
func (c *cluster) start(ctx context.Context, stage []component) error {
	var waits []func() error
	for _, part := range stage {
		if err := c.processes.Start(part.Spec); err != nil {
			return err
		}
		waits = append(waits, func() error { return c.healthy(ctx, part) })
	}
	return together(waits...)
}

// imported is the key of the images that containerd has.
func (c *cluster) imported() string {
	data, _ := os.ReadFile(c.State("images.key")) // none, no images
	return string(data)
}

func (c *cluster) importImages(ctx context.Context) error {
	key := build.Key(c.Bin(build.Images))
	if c.imported() == key {
		return nil
	}
	cmd := exec.CommandContext(ctx, "ctr", "--address", c.Socket(), "--namespace", "k8s.io", "images", "import", c.Bin(build.Images))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("import the images: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return os.WriteFile(c.State("images.key"), []byte(key), 0o644)
}

// ready waits until pods can run and requests get through.
func (c *cluster) ready(ctx context.Context) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	for _, want := range []struct{ path, condition string }{
		{"/api/v1/nodes/" + layout.NodeName, "Ready"},
		{"/apis/gateway.networking.k8s.io/v1/namespaces/gateway/gateways/gateway", "Programmed"},
	} {
		if err := eventually(ctx, func(ctx context.Context) error { return hasCondition(ctx, client, want.path, want.condition) }); err != nil {
			return fmt.Errorf("wait for %s: %w (logs are in %s)", want.path, err, c.Logs())
		}
	}
	return nil
}
