package build

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/tidegate/tidegate/testdata/cluster/internal/layout"
)

// Builder builds into the layout's folder, and says what takes long.
type Builder struct {
	Layout layout.Layout
	Say    func(format string, args ...any)
	Log    io.Writer // what compilers print
}

// product is a file with the key of what it was made from.
type product struct {
	name string
	key  string
	note string
	make func(ctx context.Context, to string) error
}

// All makes what is missing or outdated.
func (b Builder) All(ctx context.Context) error {
	if err := b.packages(ctx); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(b.Layout.Bin("x")), 0o755); err != nil {
		return err
	}
	for _, product := range []func() (product, error){b.kubernetes, b.traefik, b.images} {
		p, err := product()
		if err != nil {
			return err
		}
		if err := b.build(ctx, p); err != nil {
			return fmt.Errorf("build %s: %w", p.name, err)
		}
	}
	return nil
}

func (b Builder) build(ctx context.Context, p product) error {
	file := b.Layout.Bin(p.name)
	if _, err := os.Stat(file); err == nil && Key(file) == p.key {
		return nil
	}
	b.Say("building %s%s", p.name, p.note)
	if err := p.make(ctx, file+".new"); err != nil {
		return err
	}
	if err := os.Rename(file+".new", file); err != nil {
		return err
	}
	return os.WriteFile(file+".key", []byte(p.key), 0o644)
}

// Key is what a product was made from; empty for none.
func Key(file string) string {
	data, _ := os.ReadFile(file + ".key") // no key fits nothing
	return string(data)
}

// digest is a key for the files and words.
func digest(files []string, words ...string) (string, error) {
	h := sha256.New()
	for _, w := range words {
		fmt.Fprintf(h, "%q\n", w)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%s %x\n", filepath.Base(f), sha256.Sum256(data))
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// compile runs go build in a folder.
func (b Builder) compile(ctx context.Context, dir, to, ldflags, pkg string) error {
	return b.run(ctx, dir, []string{"CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=-mod=readonly"},
		"go", "build", "-trimpath", "-buildvcs=false", "-ldflags", strings.TrimSpace("-s -w "+ldflags), "-o", to, pkg)
}

func (b Builder) run(ctx context.Context, dir string, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = b.Log, b.Log
	if err := cmd.Run(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return fmt.Errorf("%w: put %s on the PATH", err, name)
		}
		return fmt.Errorf("%s: %w (its words are above)", strings.Join(cmd.Args, " "), err)
	}
	return nil
}
