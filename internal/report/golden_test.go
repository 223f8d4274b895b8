package report_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/report/story"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares a text with a file of testdata, or writes the file with -update.
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

// logged is the log of some events.
func logged(events []engine.Event, o report.LogOptions) string {
	var b bytes.Buffer
	log := report.NewLog(&b, o)
	for _, e := range events {
		log.Handle(context.Background(), e)
	}
	return b.String()
}

func TestLogs(t *testing.T) {
	tests := []struct {
		name   string
		story  *story.Story
		groups bool
	}{
		{"good", story.Good(), false},
		{"bad", story.Bad(), false},
		{"bad-groups", story.Bad(), true},
		{"aborted", story.Aborted(), false},
		{"cancelled", story.Cancelled(), false},
		{"resumed", story.Resumed(), false},
		{"no-data", story.Silenced(), false},
		{"crashed", story.Crashed(), false},
		{"crashed-groups", story.Crashed(), true},
		{"stuck", story.Stuck(), false},
		{"answered", story.Answered(), false},
		{"detached", story.Left(), false},
		{"unanswered-groups", story.Unanswered(), true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			golden(t, "log-"+tt.name+".txt", logged(tt.story.Events, report.LogOptions{Groups: tt.groups}))
		})
	}
}
