package spec

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// FuzzCheck looks for texts that break the decoder, that it places outside of
// the file, or that it accepts and the schema does not.
func FuzzCheck(f *testing.F) {
	for _, folder := range []string{"good", "bad"} {
		for _, path := range specFiles(f, folder) {
			f.Add(read(f, path))
		}
	}
	va := newValidator(f)
	f.Fuzz(func(t *testing.T, src []byte) {
		files, err := Check(src, Options{File: "f.yaml"})
		if err != nil {
			var problems Problems
			if !errors.As(err, &problems) || len(problems) == 0 {
				t.Fatalf("a %T, not Problems", err)
			}
			lines := 1 + strings.Count(string(src), "\n") + strings.Count(string(src), "\r") + strings.Count(string(src), "\u2028") +
				strings.Count(string(src), "\u2029") + strings.Count(string(src), "\u0085") // what YAML counts as line ends
			for _, p := range problems {
				if p.File == "" || p.Message == "" || p.Line < 0 || p.Line > lines+1 || (p.Line > 0) != (p.Column > 0) {
					t.Errorf("%d lines: %+v", lines, p)
				}
			}
			return
		}
		for _, file := range files {
			for _, d := range file.Deploys {
				text, err := json.Marshal(d)
				if err != nil {
					t.Fatal(err)
				}
				var again Deploy
				if err := json.Unmarshal(text, &again); err != nil || again.Digest() != d.Digest() {
					t.Errorf("not the same after JSON: %s: %v", text, err)
				}
			}
		}
		docs, err := documentsOf(src)
		if err != nil {
			return
		}
		for _, doc := range docs {
			if err := va.valid(va.root, doc); err != nil {
				t.Errorf("accepted, but the schema says %v", err)
			}
		}
	})
}
