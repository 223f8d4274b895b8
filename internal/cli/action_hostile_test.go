package cli_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/sandbox/github"
	"github.com/tidegate/tidegate/internal/sandbox/runner"
)

// hostile is text that would do something wherever it is not taken for text.
const hostile = "pwned\r\n::error title=pwned::pwned\n::set-output name=result::pwned\n::add-mask::checkout\n##[error]pwned\n  ##[add-mask]checkout\n::stop-commands::x\n" +
	"# pwned\n</details><script>alert(1)</script>![x](https://evil.example/x.png)[x](javascript:alert(1))<img src=x onerror=alert(1)> @octocat #1 `|`\n" +
	"\u202epwned\u2066\x1b[2J\u2028::error::pwned\u0085::error::pwned"

// harmless wants that nothing of hostile text was obeyed: by the runner, by GitHub's markdown, by a browser.
func (j *job) harmless(o runner.Outcome) {
	j.t.Helper()
	j.faultless(o)
	for _, a := range o.Annotations {
		if strings.HasPrefix(a.Title, "pwned") || strings.HasPrefix(a.Message, "pwned") || a.File != "" {
			j.t.Errorf("an annotation of somebody else: %+v", a)
		}
	}
	if strings.Contains(o.Log, "***") {
		j.t.Errorf("somebody else has masked a word:\n%s", o.Log)
	}
	for _, name := range []string{"result", "pwned"} {
		if strings.HasPrefix(o.Outputs[name], "pwned") {
			j.t.Errorf("output %s is %q", name, o.Outputs[name])
		}
	}
	if m := regexp.MustCompile("(?m)<script|<img|javascript:a|\\]\\(https://evil|^# |[^\u200b;]@octocat|[\u202e\u2066\x1b\r\u2028\u0085]").FindString(code.ReplaceAllString(o.Summary, "")); m != "" {
		j.t.Errorf("the summary has %q:\n%s", m, o.Summary)
	}
	pages, err := filepath.Glob(filepath.Join(j.Workspace(), "tidegate-report", "*.html"))
	if err != nil {
		j.t.Fatal(err)
	}
	for _, path := range pages {
		text, err := os.ReadFile(path)
		if err != nil {
			j.t.Fatal(err)
		}
		if m := regexp.MustCompile("<script>alert|<img src=x|href=\"javascript|[\u202e\u2066\x1b]").Find(text); m != nil {
			j.t.Errorf("the report has %q", m)
		}
	}
	for _, line := range strings.Split(o.Log, "\n") {
		if strings.ContainsAny(line, "\u202e\u2066\x1b\u2028\u0085") {
			j.t.Errorf("the log has the line %q", line)
		}
	}
}

// code is what GitHub shows letter by letter: blocks, and spans.
var code = regexp.MustCompile("(?ms)^(```+)text\n.*?^```+$|``[^\n]*?``|`[^`\n]*`")

// mischief makes a job one of a stranger's branch.
func (j *job) mischief() {
	j.t.Helper()
	payload, err := json.Marshal(map[string]any{"pull_request": map[string]any{"number": 2, "title": hostile, "body": hostile,
		"head": map[string]any{"sha": headCommit, "ref": hostile, "repo": map[string]any{"full_name": hostile}}, "base": map[string]any{"sha": baseCommit, "ref": hostile}}})
	if err != nil {
		j.t.Fatal(err)
	}
	j.EventName, j.Event = "pull_request", payload
	for _, name := range []string{"GITHUB_REF", "GITHUB_HEAD_REF", "GITHUB_BASE_REF", "GITHUB_REF_NAME", "GITHUB_ACTOR", "GITHUB_TRIGGERING_ACTOR", "GITHUB_WORKFLOW", "GITHUB_JOB"} {
		j.Env[name] = hostile
	}
}

// TestActionHostileProvider: neither a provider's answer, nor GitHub's, nor names of branches are obeyed.
func TestActionHostileProvider(t *testing.T) {
	t.Parallel()
	s := open(t, setup{})
	prometheus := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(300 * time.Millisecond) // the gate on pods is heard first: the first failure ends the rollout
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"status": "error", "errorType": "bad_data", "error": hostile})
	}))
	t.Cleanup(prometheus.Close)
	s.hub.Fault(func(req *http.Request) *github.Answer {
		if !strings.Contains(req.URL.Path, "/deployments") {
			return nil
		}
		body, _ := json.Marshal(map[string]string{"message": hostile}) // a string always can be
		return &github.Answer{Status: http.StatusUnprocessableEntity, Header: http.Header{"Content-Type": {"application/json"}}, Body: string(body)}
	})
	j := s.job(release("shop", "checkout", "      every: 1s\n", "      every: 1s\n      noData: fail\n"))
	j.mischief()
	j.Env["PROMETHEUS_URL"] = prometheus.URL
	main := j.start("image", "shop:v2", "checks", "true")
	o := main.Wait()
	want(t, o, 3, "rolled-back")
	j.harmless(o)
	j.harmless(j.post(main))
	s.told(headCommit, closedWith("failure", "failure"))
	for _, status := range s.hub.CommitStatuses(headCommit) {
		if strings.ContainsAny(status.Description, "\n\r\u202e\x1b") {
			t.Errorf("the status says %q", status.Description)
		}
	}
	s.runs("shop", "shop:v1")
}

// TestActionHostileInputs: inputs may be made of what a stranger wrote.
func TestActionHostileInputs(t *testing.T) {
	t.Parallel()
	s := open(t, setup{})
	line := strings.ReplaceAll(strings.Join(strings.Fields(hostile), "/"), "=", "-")
	for _, tt := range []struct {
		name, input, value string
		more               []string
		code               int
	}{
		{"environment", "environment", "preview/" + hostile, []string{"image", "shop:v1"}, 0},
		{"environment that is a link", "environment", "x](https://evil.example) [y", []string{"image", "shop:v1"}, 0},
		{"image", "image", "shop:" + line, []string{"dry-run", "true"}, 0},
		{"image of several lines", "image", hostile, nil, 2},
		{"reason", "reason", hostile, []string{"command", "abort"}, 0},
		{"command", "command", hostile, nil, 2},
		{"spec", "spec", hostile, []string{"image", "shop:v1"}, 2},
		{"context", "context", hostile, []string{"image", "shop:v1"}, 2},
		{"name", "name", hostile, []string{"image", "shop:v1"}, 2},
		{"ref", "ref", hostile, []string{"image", "shop:v1"}, 2},
		{"accept", "accept", hostile, []string{"image", "shop:v1"}, 0},
		{"kubeconfig", "kubeconfig", "/" + line, []string{"image", "shop:v1"}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &stage{t: t, cluster: s.cluster, hub: s.hub, hubURL: s.hubURL}
			j := s.job(release("shop", "checkout"))
			j.mischief()
			main := j.start(append(tt.more, tt.input, tt.value)...)
			o := main.Wait()
			if o.ExitCode != tt.code {
				t.Errorf("exit code %d with %v, want %d", o.ExitCode, o.Outputs, tt.code)
			}
			j.harmless(o)
			j.harmless(j.post(main))
		})
	}
}

// TestActionHostileReason: why somebody aborts is shown to everybody, and obeyed by nobody.
func TestActionHostileReason(t *testing.T) {
	t.Parallel()
	s := open(t, setup{})
	j := s.job(release("shop", "checkout", "hold: 1s", "hold: 10m"))
	j.mischief()
	main := j.start("image", "shop:v2")
	j.half(main)
	other := s.job(release("shop", "checkout"))
	other.mischief()
	o := other.run("command", "abort", "reason", hostile)
	other.harmless(o)
	want(t, o, 0, "aborted")
	o = main.Wait()
	want(t, o, 3, "aborted")
	contains(t, "the reason", o.Outputs["reason"], "pwned")
	j.harmless(o)
	j.harmless(j.post(main))
	s.runs("shop", "shop:v1")
	s.told(headCommit, closedWith("failure", "success"))
	for _, d := range s.hub.Deployments() {
		for _, status := range d.Statuses {
			if strings.ContainsAny(status.Description, "\n\r\u202e\x1b") {
				t.Errorf("the deployment says %q", status.Description)
			}
		}
	}
	if text := fmt.Sprint(o.Annotations); strings.Contains(text, "\u202e") {
		t.Errorf("annotations %q", text)
	}
}
