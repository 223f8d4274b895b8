//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/tidegate/tidegate/testdata/cluster/internal/layout"
)

// description is how others reach the cluster.
type description struct {
	Kubeconfig    string `json:"kubeconfig"`
	GatewayURL    string `json:"gatewayURL"`
	PrometheusURL string `json:"prometheusURL"`
	Gateway       string `json:"gateway"`
	Image         string `json:"image"`
}

func (c *cluster) saveDescription() error {
	data, err := json.MarshalIndent(description{
		Kubeconfig:    c.Kubeconfig(),
		GatewayURL:    "http://" + layout.Gateway,
		PrometheusURL: "http://" + layout.Prometheus,
		Gateway:       "gateway/gateway",
		Image:         layout.Image,
	}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(c.Description(), append(data, '\n'), 0o644)
}

func (c *cluster) describe(w io.Writer) error {
	data, err := os.ReadFile(c.Description())
	if err != nil {
		return errDown
	}
	_, err = w.Write(data)
	return err
}

// status tells how each part is; it fails when one is not healthy.
func (c *cluster) status(ctx context.Context, asJSON bool) error {
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	if asJSON {
		out = tabwriter.NewWriter(io.Discard, 0, 0, 2, ' ', 0)
	}
	whole := true
	for _, stage := range c.stages() {
		for _, part := range stage {
			err := c.check(ctx, part)
			whole = whole && err == nil
			c.line(out, part, err)
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if !whole {
		return errDown
	}
	if asJSON {
		return c.describe(os.Stdout)
	}
	return nil
}

func (c *cluster) line(w io.Writer, part component, err error) {
	pid := "-"
	if r, ok := c.processes.Lookup(part.Name); ok && r.Alive() {
		pid = fmt.Sprint(r.PID)
	}
	health := "healthy"
	if err != nil {
		health = fmt.Sprintf("not healthy: %v", err)
	}
	fmt.Fprintf(w, "%s\t%s\t%s\n", part.Name, pid, health)
}
