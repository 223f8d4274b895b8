// Command workflows writes the GitHub workflows that the documentation shows into files, for actionlint:
//
//	go run ./testdata/workflows OUT
//
// It prints the paths of all workflows of the repository, those that are files already among them. A block becomes
// OUT/docs-action.md-40.yml, with so many empty lines before it that actionlint's line numbers are the document's.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "workflows: call it at the root of the repository with the folder to write to")
		os.Exit(2)
	}
	paths, err := write(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "workflows: "+err.Error())
		os.Exit(1)
	}
	fmt.Println(strings.Join(paths, "\n"))
}

// write extracts the documentation's workflows and lists them with the others.
func write(out string) ([]string, error) {
	var paths []string
	for _, pattern := range []string{".github/workflows/*.yml", "testdata/act/repository/.github/workflows/*.yml"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			return nil, fmt.Errorf("nothing fits %s; is this the root of the repository? %w", pattern, err)
		}
		paths = append(paths, found...)
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return nil, err
	}
	documents, err := filepath.Glob("docs/*.md")
	if err != nil {
		return nil, err
	}
	for _, document := range append(documents, "README.md") {
		text, err := os.ReadFile(document)
		if err != nil {
			return nil, err
		}
		written, err := extract(out, document, string(text))
		if err != nil {
			return nil, err
		}
		paths = append(paths, written...)
	}
	return paths, nil
}

// extract writes one document's workflows.
func extract(out, document, text string) ([]string, error) {
	fence := regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")
	key := func(name, block string) bool { return regexp.MustCompile(`(?m)^` + name + `:`).MatchString(block) }
	var paths []string
	for _, at := range fence.FindAllStringSubmatchIndex(text, -1) {
		block := text[at[2]:at[3]]
		if !key("on", block) || !key("jobs", block) {
			continue
		}
		before := strings.Count(text[:at[2]], "\n")
		path := filepath.Join(out, fmt.Sprintf("%s-%d.yml", strings.ReplaceAll(document, "/", "-"), before+1))
		if err := os.WriteFile(path, []byte(strings.Repeat("\n", before)+block), 0o644); err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}
