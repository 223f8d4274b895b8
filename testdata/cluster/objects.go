//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/tidegate/tidegate/testdata/cluster/internal/api"
	"github.com/tidegate/tidegate/testdata/cluster/internal/build"
)

// defineResources applies the resource definitions of the table as published, waits until the server knows them, and makes
// the gateway.
func (c *cluster) defineResources(ctx context.Context) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	definitions, err := definitions(ctx)
	if err != nil {
		return err
	}
	var applies []func() error
	for _, m := range definitions {
		applies = append(applies, func() error {
			if err := client.Apply(ctx, m); err != nil {
				return err
			}
			path := "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/" + m.Name
			return eventually(ctx, func(ctx context.Context) error { return hasCondition(ctx, client, path, "Established") })
		})
	}
	if err := together(applies...); err != nil {
		return err
	}
	file, err := os.ReadFile(c.State("config", "gateway.yaml"))
	if err != nil {
		return err
	}
	for _, m := range api.Split(file) {
		// a definition is served a moment after it says that it is established
		if err := eventually(ctx, func(ctx context.Context) error { return client.Apply(ctx, m) }); err != nil {
			return err
		}
	}
	return nil
}

// published are the resource definitions that a module brings.
type published struct {
	module, files string
	only          string // how their names end
}

// sources is the table of them. The Gateway API's experimental channel has every kind and field of the standard one; a
// cluster can have only one of them.
func sources() []published {
	return []published{
		{build.GatewayAPI, "config/crd/experimental/gateway.networking.*.yaml", ""},
		{build.Traefik, "docs/content/reference/dynamic-configuration/kubernetes-crd-definition-v1.yml", ""},
		{build.Contour, "examples/contour/01-crds.yaml", ""},
		{build.Istio, "kubernetes/customresourcedefinitions.gen.yaml", ".networking.istio.io"},
	}
}

// definitions reads them from their modules.
func definitions(ctx context.Context) ([]api.Manifest, error) {
	var all []api.Manifest
	for _, p := range sources() {
		dir, err := build.Module(ctx, p.module)
		if err != nil {
			return nil, err
		}
		files, err := filepath.Glob(filepath.Join(dir, filepath.FromSlash(p.files)))
		if err != nil {
			return nil, err
		}
		if len(files) == 0 {
			return nil, fmt.Errorf("%s has no file %s", p.module, p.files)
		}
		for _, f := range files {
			data, err := os.ReadFile(f)
			if err != nil {
				return nil, err
			}
			for _, m := range api.Split(data) {
				if m.Kind == "CustomResourceDefinition" && strings.HasSuffix(m.Name, p.only) {
					all = append(all, m)
				}
			}
		}
	}
	return all, nil
}

func hasCondition(ctx context.Context, client *api.Client, path, condition string) error {
	var object struct {
		Status struct {
			Conditions []struct{ Type, Status, Message string }
		}
	}
	if err := client.Get(ctx, path, &object); err != nil {
		return err
	}
	for _, c := range object.Status.Conditions {
		if c.Type != condition {
			continue
		}
		if c.Status == "True" {
			return nil
		}
		return fmt.Errorf("%s is %s: %s", condition, c.Status, c.Message)
	}
	return fmt.Errorf("no condition %s yet", condition)
}
