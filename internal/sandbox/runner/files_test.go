package runner_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestFileCommands(t *testing.T) {
	const missing = "Invalid value. Matching delimiter not found 'END'"
	for _, tt := range []struct {
		name, text string
		want       map[string]string
		fails      string
	}{
		{"plain", "result=ok\nreason=a=b<<c\n", map[string]string{"result": "ok", "reason": "a=b<<c"}, ""},
		{"blank lines, no end", "\n\nresult=\n\nreason=x", map[string]string{"result": "", "reason": "x"}, ""},
		{"later wins", "result=a\nresult=b\n", map[string]string{"result": "b"}, ""},
		{"heredoc", "result<<END\na\n\nb\nEND\nreason<<E=F\nc\nE=F", map[string]string{"result": "a\n\nb", "reason": "c"}, ""},
		{"empty heredoc", "result<<END\nEND\n", map[string]string{"result": ""}, ""},
		{"carriage return is kept", "result=ok\r\n", map[string]string{"result": "ok\r"}, ""},
		{"hostile value, constant delimiter", "reason<<END\nx\nEND\nresult<<END\nsucceeded\nEND\n", map[string]string{"reason": "x", "result": "succeeded"}, ""},
		{"hostile value, its rest is no assignment", "reason<<END\nx\nEND\nresult<<END\nsucceeded\nEND\nEND\n",
			map[string]string{"reason": "x", "result": "succeeded"}, "Invalid format 'END'"},
		{"hostile value, a delimiter nobody can guess", "reason<<8c1f\nx\nEND\nresult=succeeded\n8c1f\n", map[string]string{"reason": "x\nEND\nresult=succeeded"}, ""},
		{"no delimiter at the end", "result=ok\nreason<<END\nx\n", map[string]string{"result": "ok"}, missing},
		{"delimiter with a space", "reason<<END\nx\n END\n", nil, missing},
		{"no line end before the delimiter", "reason<<END\nxEND", nil, "Invalid value. EOF marker missing new line."},
		{"no assignment", "result=ok\nwhat is this\nreason=x\n", map[string]string{"result": "ok"}, "Invalid format 'what is this'"},
		{"no name", "<<END\nx\nEND\n", nil, "Name must not be empty and delimiter must not be empty"},
		{"no delimiter", "result<<\nx\n", nil, "Name must not be empty and delimiter must not be empty"},
		{"empty name", "=x\n", nil, "Value cannot be null"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := outcome(t, write("GITHUB_OUTPUT", tt.text))
			if !maps.Equal(o.Outputs, tt.want) {
				t.Errorf("outputs %q, want %q", o.Outputs, tt.want)
			}
			if tt.fails == "" {
				if o.Conclusion != "success" || len(o.Problems) > 0 {
					t.Errorf("%s: %q", o.Conclusion, o.Problems)
				}
				return
			}
			contains(t, "log", o.Log, "##[error]Unable to process file command 'output' successfully.", tt.fails)
			if o.Conclusion != "failure" || o.ExitCode != 0 || len(o.Annotations) != 2 || len(o.Problems) == 0 {
				t.Errorf("%s %d, annotations %v, problems %q", o.Conclusion, o.ExitCode, o.Annotations, o.Problems)
			}
		})
	}
}

// TestOtherFiles: state may have an empty name, a path is a line, NODE_OPTIONS is refused, a removed file is an empty one.
func TestOtherFiles(t *testing.T) {
	o := outcome(t, write("GITHUB_STATE", "=x\n"), write("GITHUB_PATH", "/a\n\n/b"), write("GITHUB_ENV", "NODE_OPTIONS=-r x\nB=2\n"), "remove GITHUB_OUTPUT")
	if o.State[""] != "x" || !slices.Equal(o.Path, []string{"/a", "/b"}) || !maps.Equal(o.Env, map[string]string{"B": "2"}) || o.Conclusion != "success" {
		t.Errorf("%+v", o)
	}
	if len(o.Problems) != 1 || !strings.Contains(o.Problems[0], "NODE_OPTIONS") {
		t.Errorf("problems %q", o.Problems)
	}
}

func TestSummary(t *testing.T) {
	o := outcome(t, print("::add-mask::hush"), write("GITHUB_STEP_SUMMARY", "# Tide\n"), write("GITHUB_STEP_SUMMARY", "hush\n"))
	if o.Summary != "# Tide\n***\n" || len(o.Problems) > 0 {
		t.Errorf("summary %q, problems %q", o.Summary, o.Problems)
	}
	for _, tt := range []struct {
		name string
		size int
		want int
	}{{"as long as GitHub takes", 1 << 20, 1 << 20}, {"a byte more", 1<<20 + 1, 0}} {
		t.Run(tt.name, func(t *testing.T) {
			o := outcome(t, fmt.Sprintf("fill GITHUB_STEP_SUMMARY %d", tt.size))
			if len(o.Summary) != tt.want || o.Conclusion != "success" || (tt.want == 0) != (len(o.Problems) == 1) {
				t.Errorf("%d bytes, %s, problems %q", len(o.Summary), o.Conclusion, o.Problems)
			}
		})
	}
}
