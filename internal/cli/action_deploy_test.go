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
