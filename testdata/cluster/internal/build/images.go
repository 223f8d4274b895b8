package build

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/testdata/cluster/internal/image"
	"github.com/tidegate/tidegate/testdata/cluster/internal/layout"
)

// Images is the archive of all container images.
const Images = "images.tar"

// versions are the tags of the test service, and how each behaves.
var versions = []struct {
	tag string
	env []string
}{
	{"v1", nil},
	{"v2", nil},
	{"v3", []string{"ERROR_RATE=0.3"}},
	{"v4", []string{"UNREADY=true"}},
	{"v5", []string{"ERROR_RATE=0.3", "ERROR_AFTER=3s"}},
	{"v6", []string{"CRASH=true"}},
	{"v7", []string{"ERROR_RATE=0.02"}},
	{"v8", []string{"DELAY_MS=300"}},
	{"v9", []string{"RUDE=true"}},
	{"v10", []string{"RUDE=true"}},
	{"v11", nil},
}

func (b Builder) images() (product, error) {
	repository := b.Layout.Repository()
	sources, err := sources(filepath.Join(b.Layout.Source, "pause"), filepath.Join(repository, "testdata", "service"),
		filepath.Join(repository, "internal", "sandbox", "service"), filepath.Join(repository, "internal", "clock"))
	if err != nil {
		return product{}, err
	}
	key, err := digest(sources, fmt.Sprint(versions))
	return product{name: Images, key: key, make: func(ctx context.Context, to string) error {
		service, err := b.binary(ctx, repository, "./testdata/service")
		if err != nil {
			return err
		}
		pause, err := b.binary(ctx, b.Layout.Source, "./pause")
		if err != nil {
			return err
		}
		file, err := os.Create(to)
		if err != nil {
			return err
		}
		defer file.Close()
		return image.Archive(file, list(service, pause))
	}}, err
}

func list(service, pause []byte) []image.Image {
	images := []image.Image{{Tag: layout.Pause, Name: "pause", Binary: pause, Arch: runtime.GOARCH}}
	for _, v := range versions {
		env := append([]string{"VERSION=" + v.tag}, v.env...)
		images = append(images, image.Image{Tag: layout.Image + ":" + v.tag, Name: "service", Binary: service, Env: env, Arch: runtime.GOARCH})
	}
	return images
}

// sources are the Go files of packages, without tests.
func sources(dirs ...string) ([]string, error) {
	var all []string
	for _, d := range dirs {
		files, err := filepath.Glob(filepath.Join(d, "*.go"))
		if err != nil {
			return nil, err
		}
		if len(files) == 0 {
			return nil, fmt.Errorf("%s holds no Go files", d)
		}
		all = append(all, files...)
	}
	return slices.DeleteFunc(all, func(f string) bool { return strings.HasSuffix(f, "_test.go") }), nil
}

func (b Builder) binary(ctx context.Context, dir, pkg string) ([]byte, error) {
	to := filepath.Join(b.Layout.Dir, "bin", "binary.new")
	defer os.Remove(to)
	if err := b.compile(ctx, dir, to, "", pkg); err != nil {
		return nil, err
	}
	return os.ReadFile(to)
}
