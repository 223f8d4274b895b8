package house

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/tidegate/tidegate/internal/cli"
	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/spec"
)

var (
	fence    = regexp.MustCompile("(?ms)^[ ]{0,3}```yaml\n(.*?)^[ ]{0,3}```$")
	link     = regexp.MustCompile(`\]\(([^)#\s]+)(#[^)\s]*)?\)`)
	anchor   = regexp.MustCompile(`\]\(([^)#\s]*)#([^)\s]+)\)`)
	heading  = regexp.MustCompile(`(?m)^#+ (.+)$`)
	command  = regexp.MustCompile("(?m)(?:`|^|\\$ |run: )tidegate ([a-z]+)")
	notWords = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// Every deploy spec in the documentation is one that works, in every environment of it.
func TestDocumentedSpecsDecode(t *testing.T) {
	seen := 0
	for _, path := range prose(t) {
		for _, block := range fence.FindAllStringSubmatch(read(t, path), -1) {
			if !strings.Contains(block[1], "kind: "+spec.Kind) {
				continue
			}
			seen++
			if _, err := spec.Check([]byte(block[1]), spec.Options{File: path}); err != nil {
				t.Errorf("%s has a deploy spec that does not decode:\n%v\n\n%s", path, err, block[1])
			}
		}
	}
	if seen < 4 { // README 2, gates 1, reference 1
		t.Errorf("only %d deploy specs were found: has the way that they are marked changed?", seen)
	}
}

// Every link within the repository leads somewhere.
func TestDocumentedLinks(t *testing.T) {
	for _, path := range prose(t) {
		text := read(t, path)
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(root, filepath.Dir(path), m[1])); err != nil {
				t.Errorf("%s links to %s, which does not exist", path, m[1])
			}
		}
		for _, m := range anchor.FindAllStringSubmatch(text, -1) {
			target := path
			if m[1] != "" {
				target = filepath.Join(filepath.Dir(path), m[1])
			}
			if !strings.Contains(m[1], "://") && strings.HasSuffix(target, ".md") && !slices.Contains(anchors(read(t, target)), m[2]) {
				t.Errorf("%s links to #%s of %s, which has no such heading", path, m[2], target)
			}
		}
	}
}

// anchors are the names that GitHub gives to the headings of a text.
func anchors(text string) []string {
	var all []string
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		name := notWords.ReplaceAllString(strings.ToLower(m[1]), "")
		all = append(all, strings.ReplaceAll(name, " ", "-"))
	}
	return all
}

// Every command that the documentation names is one that there is.
func TestDocumentedCommandsExist(t *testing.T) {
	known := commands(t)
	for _, path := range prose(t) {
		for _, m := range command.FindAllStringSubmatch(read(t, path), -1) {
			if !slices.Contains(known, m[1]) {
				t.Errorf("%s names `tidegate %s`; there are %s", path, m[1], strings.Join(known, ", "))
			}
		}
	}
}

// commands are the names of all commands.
func commands(t *testing.T) []string {
	t.Helper()
	_, list, _ := strings.Cut(help(t), "Available Commands:\n")
	list, _, _ = strings.Cut(list, "\n\n")
	var names []string
	for line := range strings.Lines(list) {
		names = append(names, strings.Fields(line)[0])
	}
	if len(names) < 5 {
		t.Fatalf("commands: %v", names)
	}
	return names
}

// help is what the program says of a command.
func help(t *testing.T, words ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	code := cli.Main(context.Background(), append(words, "--help"), cli.Env{
		Stdout: &out, Stderr: &errs, Clock: clock.Real{}, Dir: fstest.MapFS{},
		Getenv:   func(string) (string, bool) { return "", false },
		Terminal: func() (int, int, bool) { return 0, 0, false },
	})
	if code != 0 || errs.Len() > 0 {
		t.Fatalf("help of %v: code %d, %s", words, code, &errs)
	}
	return out.String()
}
