// Package targets tells Prometheus which pods to scrape: Debian's is built without Kubernetes discovery, so a watch on pods
// keeps a file for its file_sd.
package targets

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/tidegate/tidegate/testdata/cluster/internal/api"
)

// Pod is what matters of a pod.
type Pod struct {
	Metadata struct {
		Namespace, Name, UID, ResourceVersion string
		Labels                                map[string]string
	}
	Spec struct {
		Containers []struct {
			Ports []struct {
				Name          string
				ContainerPort int
			}
		}
	}
	Status struct{ Phase, PodIP string }
}

// Group is one entry of a file_sd file.
type Group struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// group is how a pod is scraped; false unless it runs and has a container port named http.
func group(p Pod) (Group, bool) {
	if p.Status.Phase != "Running" || p.Status.PodIP == "" {
		return Group{}, false
	}
	for _, c := range p.Spec.Containers {
		for _, port := range c.Ports {
			if port.Name != "http" {
				continue
			}
			labels := map[string]string{"namespace": p.Metadata.Namespace, "pod": p.Metadata.Name}
			for _, l := range []string{"app", "version"} {
				if v, ok := p.Metadata.Labels[l]; ok {
					labels[l] = v
				}
			}
			return Group{Targets: []string{net.JoinHostPort(p.Status.PodIP, strconv.Itoa(port.ContainerPort))}, Labels: labels}, true
		}
	}
	return Group{}, false
}

// Keep keeps the file true until ctx ends. It reports what goes wrong and tries again.
func Keep(ctx context.Context, c *api.Client, file string, report func(error)) error {
	for ctx.Err() == nil {
		if err := follow(ctx, c, file); err != nil && ctx.Err() == nil {
			report(err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
	return ctx.Err()
}

// follow lists the pods, then watches them until the watch ends.
func follow(ctx context.Context, c *api.Client, file string) error {
	var list struct {
		Metadata struct{ ResourceVersion string }
		Items    []Pod
	}
	if err := c.Get(ctx, "/api/v1/pods", &list); err != nil {
		return err
	}
	pods := map[string]Pod{}
	for _, p := range list.Items {
		pods[p.Metadata.UID] = p
	}
	if err := write(file, pods); err != nil {
		return err
	}
	body, err := c.Stream(ctx, "/api/v1/pods?watch=1&resourceVersion="+list.Metadata.ResourceVersion)
	if err != nil {
		return err
	}
	defer body.Close()
	events := json.NewDecoder(body)
	for {
		var e struct {
			Type   string
			Object Pod
		}
		if err := events.Decode(&e); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		switch e.Type {
		case "ADDED", "MODIFIED":
			pods[e.Object.Metadata.UID] = e.Object
		case "DELETED":
			delete(pods, e.Object.Metadata.UID)
		default:
			return fmt.Errorf("the watch ended with %s: listing again", e.Type)
		}
		if err := write(file, pods); err != nil {
			return err
		}
	}
}

// write replaces the file at once, if it changes.
func write(file string, pods map[string]Pod) error {
	groups := []Group{}
	for _, p := range pods {
		if g, ok := group(p); ok {
			groups = append(groups, g)
		}
	}
	slices.SortFunc(groups, func(a, b Group) int { return cmp.Compare(a.Targets[0], b.Targets[0]) })
	data, err := json.MarshalIndent(groups, "", " ")
	if err != nil {
		return err
	}
	if old, err := os.ReadFile(file); err == nil && bytes.Equal(old, data) {
		return nil
	}
	if err := os.WriteFile(file+".new", data, 0o644); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}
