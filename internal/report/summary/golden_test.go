package summary_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/tidegate/tidegate/internal/report/sheet/scene"
	"github.com/tidegate/tidegate/internal/report/summary"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got:\n%s\nwant (%s):\n%s", got, path, want)
	}
}

func TestSummaries(t *testing.T) {
	for _, s := range scene.All(t.Context()) {
		t.Run(s.Name, func(t *testing.T) { golden(t, s.Name+".md", summary.Markdown(s.Input)) })
	}
}
