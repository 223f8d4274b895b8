package build

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/testdata/cluster/internal/layout"
)

func write(t *testing.T, file, content string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o444); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestBuildOnlyWhenTheKeyChanges(t *testing.T) {
	b := Builder{Layout: layout.Layout{Dir: t.TempDir()}, Say: t.Logf, Log: io.Discard}
	if err := os.MkdirAll(filepath.Dir(b.Layout.Bin("x")), 0o755); err != nil {
		t.Fatal(err)
	}
	made := 0
	p := product{name: "x", key: "1", make: func(_ context.Context, to string) error {
		made++
		return os.WriteFile(to, nil, 0o755)
	}}
	for _, key := range []string{"1", "1", "2", "2"} {
		p.key = key
		if err := b.build(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	if made != 2 || Key(b.Layout.Bin("x")) != "2" {
		t.Errorf("made %d times, key %q", made, Key(b.Layout.Bin("x")))
	}
	p.key, p.make = "3", func(context.Context, string) error { return errors.New("does not compile") }
	if err := b.build(t.Context(), p); err == nil || Key(b.Layout.Bin("x")) != "2" {
		t.Errorf("a failed build gave %v and key %q", err, Key(b.Layout.Bin("x")))
	}
}

func TestDigest(t *testing.T) {
	dir := t.TempDir()
	a, b := write(t, dir+"/a.go", "a"), write(t, dir+"/b.go", "b")
	seen := map[string]bool{}
	for _, in := range [][]string{{a}, {b}, {a, b}} {
		for _, word := range []string{"v1", "v2"} {
			d, err := digest(in, word)
			if err != nil || seen[d] {
				t.Errorf("%v %s: %s, %v", in, word, d, err)
			}
			seen[d] = true
		}
	}
	if _, err := digest([]string{dir + "/none"}); err == nil {
		t.Error("a missing file has a digest")
	}
}

func TestSources(t *testing.T) {
	dir := t.TempDir()
	a := write(t, dir+"/a.go", "")
	write(t, dir+"/a_test.go", "")
	if got, err := sources(dir); err != nil || !slices.Equal(got, []string{a}) {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := sources(t.TempDir()); err == nil {
		t.Error("a folder without sources")
	}
}

func TestCopyModule(t *testing.T) {
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "copy")
	write(t, from+"/cmd/main.go", "package main")
	if err := os.Chmod(from+"/cmd", 0o555); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := copyModule(from, to); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []string{"cmd/main.go", "webui/static/index.html", "pkg/config/dynamic/ext/go.mod"} {
		info, err := os.Stat(filepath.Join(to, f))
		if err != nil || info.Mode().Perm()&0o200 == 0 {
			t.Errorf("%s: %v", f, err)
		}
	}
}

func TestEveryVersionSaysItsName(t *testing.T) {
	images := list([]byte("service"), []byte("pause"))
	if images[0].Tag != layout.Pause || len(images) != len(versions)+1 {
		t.Fatalf("%d images, the first %s", len(images), images[0].Tag)
	}
	for _, i := range images[1:] {
		if v := strings.TrimPrefix(i.Tag, layout.Image+":"); !slices.Contains(i.Env, "VERSION="+v) {
			t.Errorf("%s has %v", i.Tag, i.Env)
		}
	}
}
