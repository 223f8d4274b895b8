package e2e

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// act is nektos/act, run by its module path: it is no dependency of the product.
const act = "github.com/nektos/act@v0.2.89"

// TestAct runs a workflow with the composite wrapper of the Action under nektos/act in host mode, against the double: the
// expressions, defaults and outputs of a workflow are somebody else's code here.
func TestAct(t *testing.T) {
	t.Parallel()
	s, h := open(t, layout{steps: "50%"}), openHub(t)
	dir := s.checkout()
	bin := filepath.Join(s.dir, "bin")
	install := exec.Command("go", "install", act)
	install.Env = append(os.Environ(), "GOBIN="+bin, "GOFLAGS=")
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("install act: %v\n%s", err, out)
	}
	home := filepath.Join(s.dir, "home")
	if err := os.MkdirAll(home, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(bin, "act"), "push", "-P", "ubuntu-latest=-self-hosted", "--no-cache-server", "-a", "octocat",
		"-s", "GITHUB_TOKEN="+token, "--var", "IMAGE="+image("v2"), "--env", "TIDEGATE_BINARY="+binary, "--env", "GITHUB_API_URL="+h.url,
		"--env", "KUBECONFIG="+s.kubeconfig, "--env", "PROMETHEUS_URL="+s.prometheus, "--json")
	cmd.Dir = dir
	cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + home}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("act: %v\n%s", err, out)
	}
	if got := outputs(string(out)); got["result"] != "succeeded" || got["deployment-id"] != "1" {
		t.Errorf("outputs %v", got)
	}
	s.whole("v2")
	if d := h.Deployments(); len(d) != 1 || d[0].State() != "success" || d[0].SHA != commit {
		t.Errorf("deployments %+v", d)
	}
	for what, states := range map[string]string{"tidegate/production/checkout": "success", "tidegate/production/checkout/errors": "success"} {
		last := ""
		for _, status := range h.CommitStatuses(commit) {
			if status.Context == what {
				last = status.State
			}
		}
		if last != states {
			t.Errorf("status %s is %q", what, last)
		}
	}
}

// checkout makes the repository that act takes for its own: the workflow, the action, the spec and as much of .git as act
// reads.
func (s *shop) checkout() string {
	s.t.Helper()
	dir := filepath.Join(s.dir, "repository")
	source := filepath.Join(root(), "testdata", "act")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(source, "repository"))); err != nil {
		s.t.Fatal(err)
	}
	read := func(path string) string {
		text, err := os.ReadFile(path)
		if err != nil {
			s.t.Fatal(err)
		}
		return string(text)
	}
	for path, text := range map[string]string{
		"tidegate/action.yml":  read(filepath.Join(source, "action.yml")),
		"tidegate.yaml":        read(filepath.Join(s.dir, "tidegate.yaml")),
		".git/HEAD":            "ref: refs/heads/main\n",
		".git/refs/heads/main": commit + "\n",
		".git/config":          "[remote \"origin\"]\n\turl = https://github.com/octo/shop\n",
		".git/objects/.keep":   "",
	} {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			s.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			s.t.Fatal(err)
		}
	}
	return dir
}

// outputs are those that act's log says were set.
func outputs(log string) map[string]string {
	all := map[string]string{}
	lines := bufio.NewScanner(strings.NewReader(log))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var entry struct{ Command, Name, Arg string }
		if json.Unmarshal(lines.Bytes(), &entry) == nil && entry.Command == "set-output" {
			all[entry.Name] = entry.Arg
		}
	}
	return all
}
