package spec

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files")

const specs = "../../testdata/specs"

// specFiles is the test specs of a folder.
func specFiles(t testing.TB, folder string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(specs, folder, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no specs in %s: %v", folder, err)
	}
	return files
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// golden compares a text with a file, or writes the file with -update.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want := string(read(t, path)); got != want {
		t.Errorf("got:\n%s\nwant (%s):\n%s", got, path, want)
	}
}

func TestBadSpecs(t *testing.T) {
	for _, path := range specFiles(t, "bad") {
		name := filepath.Base(path)
		t.Run(name, func(t *testing.T) {
			_, err := Check(read(t, path), Options{File: name})
			if err == nil {
				t.Fatal("no problem was found")
			}
			golden(t, strings.TrimSuffix(path, ".yaml")+".txt", err.Error()+"\n")
		})
	}
}

func TestGoodSpecs(t *testing.T) {
	for _, path := range specFiles(t, "good") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			files, err := Check(read(t, path), Options{})
			if err != nil {
				t.Fatal(err)
			}
			byEnvironment := map[string]File{}
			for _, f := range files {
				for _, d := range f.Deploys {
					if d.Environment != "" || byEnvironment[""].Deploys == nil {
						byEnvironment[d.Environment] = f
					}
				}
			}
			text, err := json.MarshalIndent(byEnvironment, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, strings.TrimSuffix(path, ".yaml")+".json", string(text)+"\n")
		})
	}
}
