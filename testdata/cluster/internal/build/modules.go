package build

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Versions of what is built from, or read from, Go modules. Kubernetes' is in kubernetes/go.mod as well.
const (
	Kubernetes = "v1.34.4"
	Traefik    = "github.com/traefik/traefik/v3@v3.7.5"
	GatewayAPI = "sigs.k8s.io/gateway-api@v1.5.1"
	Istio      = "istio.io/api@v1.31.1"
	Contour    = "github.com/projectcontour/contour@v1.33.8" // of which only the resource definitions are taken
)

func (b Builder) kubernetes() (product, error) {
	dir := filepath.Join(b.Layout.Source, "kubernetes")
	var flags []string
	minor := strings.Split(Kubernetes, ".")[1]
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		for _, v := range []string{"gitVersion=" + Kubernetes, "gitMajor=1", "gitMinor=" + minor, "gitTreeState=clean"} {
			flags = append(flags, "-X "+pkg+"."+v)
		}
	}
	ldflags := strings.Join(flags, " ")
	key, err := digest([]string{filepath.Join(dir, "main.go"), filepath.Join(dir, "go.mod")}, ldflags)
	return product{name: "kubernetes", key: key, note: " " + Kubernetes + ", which takes about 7 minutes on two cores unless Go has it cached", make: func(ctx context.Context, to string) error {
		return b.compile(ctx, dir, to, ldflags, ".")
	}}, err
}

// The two things that Traefik's own build makes and its module lacks: a page for its dashboard, and the module of extensions.
var traefikLacks = map[string]string{
	"webui/static/index.html":           "the dashboard is not built\n",
	"pkg/config/dynamic/ext/go.mod":     "module github.com/traefik/traefik/dynamic/ext\n\ngo 1.25.0\n",
	"pkg/config/dynamic/ext/package.go": "package ext\n\ntype HTTP struct{}\n\ntype Router struct{}\n",
}

func (b Builder) traefik() (product, error) {
	_, version, _ := strings.Cut(Traefik, "@v")
	ldflags := "-X github.com/traefik/traefik/v3/pkg/version.Version=" + version
	key, err := digest(nil, Traefik, ldflags, fmt.Sprint(traefikLacks))
	return product{name: "traefik", key: key, note: " v" + version + ", which takes about 5 minutes on two cores unless Go has it cached", make: func(ctx context.Context, to string) error {
		module, err := Module(ctx, Traefik)
		if err != nil {
			return err
		}
		source := filepath.Join(b.Layout.Dir, "traefik-source")
		if err := copyModule(module, source); err != nil {
			return err
		}
		defer os.RemoveAll(source)
		return b.compile(ctx, source, to, ldflags, "./cmd/traefik")
	}}, err
}

// copyModule makes a copy that can be written, and adds what is lacking. Module folders are read-only, folders included.
func copyModule(from, to string) error {
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	err := filepath.WalkDir(from, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), data, 0o644)
	})
	if err != nil {
		return err
	}
	for name, content := range traefikLacks {
		file := filepath.Join(to, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Module is the folder of a module in the module cache; it is downloaded when it is not there.
func Module(ctx context.Context, module string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", module)
	cmd.Dir = os.TempDir()
	cmd.Env = append(os.Environ(), "GOWORK=off")
	out, err := cmd.Output()
	var answer struct{ Dir, Error string }
	if json.Unmarshal(out, &answer) == nil && answer.Error != "" {
		return "", fmt.Errorf("download %s: %s", module, answer.Error)
	}
	if err != nil {
		return "", fmt.Errorf("download %s: %w", module, err)
	}
	return answer.Dir, nil
}
