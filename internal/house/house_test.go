package house

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the tables of the documentation anew")

const (
	root   = "../.."
	module = "github.com/tidegate/tidegate/"
)

// read is a file of the repository.
func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// prose is the paths of everything that is written for people.
func prose(t *testing.T) []string {
	t.Helper()
	paths := []string{"README.md", ".github/CONTRIBUTING.md"}
	docs, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil || len(docs) == 0 {
		t.Fatalf("no documentation: %v", err)
	}
	for _, path := range docs {
		paths = append(paths, "docs/"+filepath.Base(path))
	}
	return paths
}

// sources calls f for every Go file of the module, with its path from the root. Modules below it have rules of their own.
func sources(t *testing.T, f func(path string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		short, _ := filepath.Rel(root, path)
		switch {
		case d.IsDir() && (strings.HasPrefix(d.Name(), ".") && short != "." || isModule(path) && short != "."):
			return filepath.SkipDir
		case !d.IsDir() && strings.HasSuffix(path, ".go"):
			f(filepath.ToSlash(short))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func isModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}
