package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// closedWith is how GitHub has a rollout that ended so.
func closedWith(state, gate string) map[string]string {
	return map[string]string{"checkout": state, "checkout/errors": gate, "checkout/kubernetes": "success"}
}

func TestActionGood(t *testing.T) {
	t.Parallel()
	s := open(t, setup{})
	users := s.users("checkout")
	j := s.job(release("shop", "checkout"))
	main := j.start("image", "shop:v2")
	o := main.Wait()
	j.faultless(o)
	want(t, o, 0, "succeeded")
	for name, want := range map[string]string{"revision": "v2", "previous-revision": "v1", "step": "clean-up", "deployment-id": "1",
		"environment-url": "https://checkout.example.com", "report": "tidegate-report/checkout.html", "preview-url": ""} {
		if o.Outputs[name] != want {
			t.Errorf("output %s is %q, want %q", name, o.Outputs[name], want)
		}
	}
	if !strings.HasPrefix(o.Outputs["plan-digest"], "sha256:") && len(o.Outputs["plan-digest"]) < 12 {
		t.Errorf("plan digest %q", o.Outputs["plan-digest"])
	}
	if n := steps(o.Log); n != wholeRollout {
		t.Errorf("%d lines tell of steps, want %d", n, wholeRollout)
	}
	contains(t, "the summary", o.Summary, "✅", "```mermaid", "shift-50", "errors", "v2")
	page, err := os.ReadFile(filepath.Join(j.Workspace(), o.Outputs["report"]))
	if err != nil {
		t.Error(err)
	}
	contains(t, "the report", string(page), "<svg", "shift-50")
	if a := o.Annotations; len(a) != 1 || a[0].Level != "notice" || !strings.Contains(a[0].Title, "checkout runs v2") {
		t.Errorf("annotations %+v", a)
	}
	s.deployed("success")
	s.told(commit, closedWith("success", "success"))
	if n := len(s.hub.Requests()); n > 25 {
		t.Errorf("%d requests to GitHub, want at most 25", n)
	}
	calls, asked := s.calls(), len(s.hub.Requests())
	post := j.post(main)
	if post.ExitCode != 0 || !strings.Contains(post.Log, "nothing to do") || len(s.hub.Requests()) != asked || s.calls() != calls {
		t.Errorf("post after success did something: exit code %d\n%s", post.ExitCode, post.Log)
	}
	s.runs("shop", "shop:v2")
	if sum := users.Counts(); sum.Failed > 0 || sum.ByVersion["v2"] == 0 {
		t.Errorf("users: %+v", sum)
	}
}

// TestActionBad: a version that fails its users is taken back, and the step says why, once.
func TestActionBad(t *testing.T) {
	t.Parallel()
	s := open(t, setup{})
	users := s.users("checkout")
	j := s.job(release("shop", "checkout", "hold: 1s", "hold: 20s"))
	main := j.start("image", "shop:v3")
	o := main.Wait()
	j.faultless(o)
	want(t, o, 3, "rolled-back")
	contains(t, "the reason", o.Outputs["reason"], "errors")
	contains(t, "the summary", o.Summary, "❌", "errors", "rolled back")
	if a := annotations(o, "error"); len(a) != 1 || !strings.Contains(a[0].Title, "rolled back") || !strings.Contains(a[0].Message, "errors") {
		t.Errorf("error annotations %+v", a)
	}
	s.deployed("failure")
	s.told(commit, closedWith("failure", "failure"))
	s.runs("shop", "shop:v1")
	if post := j.post(main); post.ExitCode != 0 || !strings.Contains(post.Log, "nothing to do") {
		t.Errorf("post: exit code %d", post.ExitCode)
	}
	if sum := users.Counts(); sum.FailedByVersion["v3"] == 0 || sum.Failed != sum.FailedByVersion["v3"] {
		t.Errorf("users: %+v", sum)
	}
}

// TestActionWithoutRollout: calls that end before a rollout begins, or that carry none.
func TestActionWithoutRollout(t *testing.T) {
	t.Parallel()
	s := open(t, setup{})
	good := release("shop", "checkout")
	for _, tt := range []struct {
		name, spec string
		inputs     []string
		code       int
		result     string
		reason     string   // of the output
		summary    []string // in it
		status     string   // that GitHub has of the service then; "" for none
		kubeconfig string
	}{
		{name: "unchanged", spec: good, inputs: []string{"image", "shop:v1"}, result: "unchanged", reason: "already runs", summary: []string{"✅", "nothing to do"}, status: "success"},
		{name: "a spec that is wrong", spec: release("shop", "checkout", "50%", "150%"), inputs: []string{"image", "shop:v2"}, code: 2, result: "invalid", reason: "150%",
			summary: []string{"❌", "150%", "tidegate validate"}},
		{name: "no spec", inputs: []string{"image", "shop:v2"}, code: 2, result: "invalid", reason: "there is no tidegate.yaml and no .github/tidegate.yaml"},
		{name: "no image", spec: good, code: 2, result: "invalid", reason: "no image was given"},
		{name: "another workload", spec: release("shop", "chekout"), inputs: []string{"image", "shop:v2"}, code: 2, result: "invalid", reason: "has no Deployment", summary: []string{"❌"}, status: "failure"},
		{name: "another context", spec: good, inputs: []string{"image", "shop:v2", "context", "prod"}, code: 2, result: "invalid", reason: `no context "prod"; it has sandbox`, summary: []string{"❌", "prod"}},
		{name: "a cluster that is not there", spec: good, inputs: []string{"image", "shop:v2"}, code: 1, result: "failed", reason: "refused", summary: []string{"❌", "refused"}, status: "failure",
			kubeconfig: "apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts: [{name: a, context: {cluster: a, user: a}}]\nclusters: [{name: a, cluster: {server: 'http://127.0.0.1:1'}}]\nusers: [{name: a, user: {}}]\n"},
		{name: "an unknown command", spec: good, inputs: []string{"command", "destroy"}, code: 2, result: "invalid", reason: `input command is "destroy"`, summary: []string{"❌", "destroy"}},
		{name: "dry run", spec: good, inputs: []string{"image", "shop:v2", "dry-run", "true"}, result: "unchanged", summary: []string{"✅", "a dry run", "shift-50", "roll-base"}},
		{name: "plan", spec: good, inputs: []string{"command", "plan", "image", "shop:v2"}, result: "unchanged", summary: []string{"a dry run", "shift-50"}},
		{name: "status", spec: good, inputs: []string{"command", "status"}, result: "unchanged", summary: []string{"checkout"}},
		{name: "validate", spec: good, inputs: []string{"command", "validate"}, result: "unchanged"},
		{name: "validate what is wrong", spec: release("shop", "checkout", "hold:", "hald:"), inputs: []string{"command", "validate"}, code: 2, result: "invalid", reason: "hald", summary: []string{"❌", "hald"}},
		{name: "abort with nothing in flight", spec: good, inputs: []string{"command", "abort", "reason", "it smells"}, result: "unchanged", reason: "nothing to abort"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &stage{t: t, cluster: s.cluster, hub: s.hub, hubURL: s.hubURL}
			j := s.job(tt.spec)
			sha := strings.Repeat("0", 39) + string("0123456789abcdef"[len(tt.name)%16])
			j.Env["GITHUB_SHA"] = sha
			if tt.kubeconfig != "" {
				j.with["kubeconfig"] = tt.kubeconfig
			}
			main := j.start(tt.inputs...)
			o := main.Wait()
			j.faultless(o)
			want(t, o, tt.code, tt.result)
			contains(t, "the reason", o.Outputs["reason"], tt.reason)
			contains(t, "the summary", o.Summary, tt.summary...)
			if n := len(annotations(o, "error")); n > 1 || (n == 1) != (tt.code != 0) {
				t.Errorf("%d error annotations with exit code %d: %+v", n, tt.code, o.Annotations)
			}
			wanted := map[string]string{}
			if tt.status != "" {
				wanted["checkout"] = tt.status
			}
			if tt.name == "another workload" {
				wanted = map[string]string{"chekout": tt.status}
			}
			s.told(sha, wanted)
			if post := j.post(main); post.ExitCode != 0 && tt.result != "failed" {
				t.Errorf("post: exit code %d", post.ExitCode)
			}
		})
	}
	t.Cleanup(func() {
		s.runs("shop", "shop:v1")
		if all := s.hub.Deployments(); len(all) > 0 {
			t.Errorf("%d deployments without a rollout", len(all))
		}
	})
}

// TestActionTwo: lines of NAME=REF deploy several services, one after the other.
func TestActionTwo(t *testing.T) {
	t.Parallel()
	s := open(t, setup{objects: app("shop", "checkout", "shop:v1") + app("carts", "cart", "shop:v1")})
	j := s.job(release("shop", "checkout") + "---\n" + release("carts", "cart"))
	main := j.start("image", "checkout=shop:v2\ncart=shop:v0\n")
	o := main.Wait()
	j.faultless(o)
	want(t, o, 0, "succeeded")
	s.runs("shop", "shop:v2")
	s.runs("carts", "shop:v0")
	contains(t, "the summary", o.Summary, "checkout runs v2", "cart runs v0")
	for _, name := range []string{"checkout", "cart"} {
		if _, err := os.Stat(filepath.Join(j.Workspace(), "tidegate-report", name+".html")); err != nil {
			t.Error(err)
		}
	}
	if all := s.hub.Deployments(); len(all) != 2 || all[0].State() != "success" || all[1].State() != "success" {
		t.Errorf("deployments %+v", all)
	}
	s.told(commit, map[string]string{"checkout": "success", "checkout/errors": "success", "checkout/kubernetes": "success",
		"cart": "success", "cart/errors": "success", "cart/kubernetes": "success"})
	if post := j.post(main); post.ExitCode != 0 || !strings.Contains(post.Log, "nothing to do") {
		t.Errorf("post: exit code %d", post.ExitCode)
	}
}

// TestActionMissingFiles: a runner that names no files for outputs and state costs those, and no rollout.
func TestActionMissingFiles(t *testing.T) {
	t.Parallel()
	s := open(t, setup{})
	j := s.job(release("shop", "checkout"))
	j.Container = without{j.Container, []string{"GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"}}
	o := j.run("image", "shop:v1")
	if o.ExitCode != 0 || len(o.Outputs) > 0 {
		t.Errorf("exit code %d, outputs %v", o.ExitCode, o.Outputs)
	}
	for _, name := range []string{"GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"} {
		if n := strings.Count(o.Log, "warning: the runner names no file in "+name); n != 1 {
			t.Errorf("%d warnings of %s, want 1", n, name)
		}
	}
}
