//go:build linux

package main

import (
	"context"

	"github.com/tidegate/tidegate/testdata/cluster/internal/layout"
	"github.com/tidegate/tidegate/testdata/cluster/internal/targets"
)

// watchCommand is the launcher's own part of the cluster; up starts it.
const watchCommand = "watch"

// watch tells Prometheus which pods there are.
func watch(ctx context.Context, dir string) error {
	c := newCluster(layout.Layout{Dir: dir})
	client, err := c.client()
	if err != nil {
		return err
	}
	return targets.Keep(ctx, client, c.Targets(), func(err error) { say("watch pods: %v", err) })
}
