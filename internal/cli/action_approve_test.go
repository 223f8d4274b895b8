package cli_test

import (
	"strings"
	"testing"
)

// unattended puts an approval behind the share of release.
var unattended = []string{"[50%]", "[50%, {approve: {message: Business sign-off, unattended: true}}]"}

// TestActionApproval: the step of a rollout that waits is no failed one, GitHub shows the rollout as pending, and another
// workflow's promote carries it on, on the deployment and the commit of the first.
func TestActionApproval(t *testing.T) {
	t.Parallel()
	s := open(t, setup{})
	users := s.users("checkout")
	j := s.job(release("shop", "checkout", unattended...))
	main := j.start("image", "shop:v2")
	o := main.Wait()
	j.faultless(o)
	want(t, o, 0, "pending")
	if o.Outputs["reason"] != "waits for an approval: Business sign-off" || o.Outputs["step"] != "approve" || o.Outputs["deployment-id"] != "1" {
		t.Errorf("outputs %v", o.Outputs)
	}
	contains(t, "the summary", o.Summary, "⏸", "waits for an approval: Business sign-off", "tidegate promote", "no gate watches")
	if a := annotations(o, "warning"); len(a) == 0 || len(annotations(o, "error")) > 0 || !strings.Contains(a[len(a)-1].Title, "waits for an approval") {
		t.Errorf("annotations %+v", o.Annotations)
	}
	pending := map[string]string{"checkout": "pending", "checkout/errors": "pending", "checkout/kubernetes": "pending"}
	s.told(commit, pending)
	s.deployed("pending")
	if post := j.post(main); post.ExitCode != 0 || !strings.Contains(post.Log, "nothing to do") {
		t.Errorf("post: exit code %d\n%s", post.ExitCode, post.Log)
	}

	posts := func() int { return len(s.hub.Deployments()[0].Statuses) + len(s.hub.CommitStatuses(commit)) }
	posted := 0
	for range 2 { // the first may tell again what the record had not noted yet
		posted = posts()
		want(t, s.job(release("shop", "checkout", unattended...)).run("image", "shop:v2", "pending", "fail"), 4, "pending")
	}
	if now := posts(); now != posted {
		t.Errorf("a run that only looked posted %d statuses", now-posted)
	}

	yes := s.job(release("shop", "checkout", unattended...))
	yes.Env["GITHUB_SHA"], yes.Env["GITHUB_ACTOR"] = strings.Repeat("b", 40), "mara"
	o = yes.run("command", "promote", "reason", "looks good")
	want(t, o, 0, "succeeded")
	contains(t, "the log", o.Log, "approved by mara (https://github.com/octo/shop/actions/runs/4714")
	contains(t, "the summary", o.Summary, "approval approve", "mara")
	s.deployed("success")
	s.told(commit, closedWith("success", "success"))
	s.told(strings.Repeat("b", 40), map[string]string{})
	var told bool
	for _, status := range s.hub.Deployments()[0].Statuses {
		told = told || status.State == "in_progress" && strings.HasPrefix(status.Description, "approved by mara")
	}
	if !told {
		t.Errorf("GitHub was not told who approved: %+v", s.hub.Deployments()[0].Statuses)
	}
	s.runs("shop", "shop:v2")

	back := s.job(release("shop", "checkout", unattended...))
	o = back.run("command", "rollback", "to", "v1")
	want(t, o, 0, "succeeded")
	if o.Outputs["revision"] != "v1" || o.Outputs["previous-revision"] != "v2" {
		t.Errorf("outputs %v", o.Outputs)
	}
	s.runs("shop", "shop:v1")
	if sum := users.Counts(); sum.Failed > 0 || sum.ByVersion["v2"] == 0 {
		t.Errorf("users: %+v", sum)
	}
}

// TestActionStays: with wait the job stays with the rollout and a promote of another workflow ends at once; and a call that
// is wrong says so.
func TestActionStays(t *testing.T) {
	t.Parallel()
	s := open(t, setup{})
	attended := []string{"[50%]", "[50%, {approve: {message: Business sign-off}}]"}
	want(t, s.job(release("shop", "checkout", attended...)).run("image", "shop:v2"), 2, "invalid")
	want(t, s.job(release("shop", "checkout", attended...)).run("command", "promote"), 2, "invalid")
	j := s.job(release("shop", "checkout", attended...))
	main := j.start("image", "shop:v2", "wait", "true")
	j.await(main, "waits for an approval: Business sign-off")
	o := s.job(release("shop", "checkout", attended...)).run("command", "promote", "full", "true")
	want(t, o, 0, "promoted")
	o = main.Wait()
	j.faultless(o)
	want(t, o, 0, "succeeded")
	contains(t, "the log", o.Log, "approved by octocat")
	s.runs("shop", "shop:v2")
}

// TestActionAbortsWaiting: what waits is taken back by another job, and started again.
func TestActionAbortsWaiting(t *testing.T) {
	t.Parallel()
	s := open(t, setup{})
	spec := release("shop", "checkout", "[50%]", "[{approve: {message: Ready}}, 50%]")
	want(t, s.job(spec).run("image", "shop:v2"), 0, "pending")
	want(t, s.job(spec).run("command", "resume"), 0, "pending")
	want(t, s.job(spec).run("command", "abort"), 0, "aborted")
	s.deployed("failure")
	s.runs("shop", "shop:v1")
	want(t, s.job(spec).run("command", "retry"), 0, "pending")
	want(t, s.job(spec).run("command", "rollback"), 0, "aborted")
	s.runs("shop", "shop:v1")
}
