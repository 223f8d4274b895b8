package e2e

import (
	"testing"
	"time"
)

// ask is an approval behind the first share, for which nobody stays.
const ask = "10%, {approve: {message: Business sign-off, unattended: true}}, 50%"

// TestApprove lets a rollout wait without a run, looks at it, and carries it on from another process.
func TestApprove(t *testing.T) {
	t.Parallel()
	s := open(t, layout{steps: ask})
	p := s.deploy("v2")
	p.want(4)
	p.mentions("waits for an approval: Business sign-off", "tidegate promote")
	d := s.status()
	if d.Rollout == nil || !d.Rollout.Waiting || d.Rollout.Split.String() != "10%" || d.Holder.Alive == nil || *d.Holder.Alive {
		t.Errorf("while it waits the status is %+v, held by %+v", d.Rollout, d.Holder)
	}
	s.run(4, "deploy", "--resume")
	s.run(4, "deploy", "--image", image("v2"))
	promote := s.run(0, "promote", "--reason", "a test")
	promote.mentions("approved by", "a test")
	s.whole("v2")
	d = s.status()
	if a := d.Rollout.Approvals; len(a) != 1 || a[0].Answer == nil || a[0].Answer.Reason != "a test" || len(d.History) != 1 {
		t.Errorf("approvals %+v, history %+v", a, d.History)
	}
	s.run(0, "promote").mentions("nothing waits for an approval now")
}

// TestApproveAtOnce lets two processes promote one rollout: one carries it on, and it is carried out once.
func TestApproveAtOnce(t *testing.T) {
	t.Parallel()
	s := open(t, layout{steps: ask})
	s.deploy("v2").want(4)
	one, other := s.start("promote"), s.start("promote")
	one.want(0)
	other.want(0)
	s.whole("v2")
	if h := s.status().History; len(h) != 1 {
		t.Errorf("the history has %d rollouts, want 1", len(h))
	}
}

// TestApproveAttended keeps the run while it waits; a promote from elsewhere ends as soon as it goes on.
func TestApproveAttended(t *testing.T) {
	t.Parallel()
	s := open(t, layout{steps: "10%, {approve: {message: Business sign-off}}, {weight: 50%, hold: 20s}", hold: "1s"})
	s.run(2, "deploy", "--image", image("v2")).mentions("no gate watches", "--wait")
	s.untouched()
	p := s.deploy("v2", "--wait")
	p.tells("waits for an approval")
	begun := time.Now()
	promote := s.run(0, "promote", "--full")
	promote.mentions("goes on")
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("promote took %s", took)
	}
	p.want(0)
	s.whole("v2")
}

// TestApproveKilled kills the run that stays; a promote takes the rollout over.
func TestApproveKilled(t *testing.T) {
	t.Parallel()
	exhaustive(t)
	s := open(t, layout{steps: ask})
	p := s.deploy("v2", "--wait")
	p.tells("waits for an approval")
	p.kill()
	s.run(0, "promote")
	s.whole("v2")
}

// TestApproveRefused goes back from a rollout that waits, and starts it again.
func TestApproveRefused(t *testing.T) {
	t.Parallel()
	s := open(t, layout{steps: ask})
	s.deploy("v2").want(4)
	s.run(0, "abort", "--reason", "a test")
	s.whole("v1")
	s.run(2, "promote").mentions("too late to promote")
	s.run(4, "retry")
	s.run(0, "promote", "--full")
	s.whole("v2")
}

// TestApproveLooks asks the gates of a rollout that waits, and lets its time pass.
func TestApproveLooks(t *testing.T) {
	t.Run("gate", func(t *testing.T) {
		t.Parallel()
		s := open(t, layout{steps: ask, noDataFor: "2s"})
		metrics := newPrometheus(t)
		s.prometheus = metrics.URL
		s.deploy("v2").want(4)
		metrics.down.Store(true)
		s.run(3, "deploy", "--resume").mentions("errors")
		s.whole("v1")
	})
	t.Run("timeout", func(t *testing.T) {
		t.Parallel()
		s := open(t, layout{steps: "10%, {approve: {message: Business sign-off, timeout: 10s, unattended: true}}"})
		s.deploy("v2").want(4)
		time.Sleep(11 * time.Second)
		s.run(3, "deploy", "--resume").mentions("nobody approved within 10s")
		s.whole("v1")
	})
	t.Run("timeout promotes", func(t *testing.T) {
		t.Parallel()
		s := open(t, layout{steps: "10%, {approve: {message: Business sign-off, timeout: 10s, onTimeout: promote, unattended: true}}"})
		s.deploy("v2").want(4)
		time.Sleep(11 * time.Second)
		s.run(0, "deploy", "--resume")
		s.whole("v2")
	})
}

// TestApproveOvertaken deploys another version while one waits.
func TestApproveOvertaken(t *testing.T) {
	t.Run("supersede", func(t *testing.T) {
		t.Parallel()
		s := open(t, layout{steps: ask})
		s.deploy("v2").want(4)
		s.start("deploy", "--image", image("v11")).want(4)
		s.run(0, "promote")
		s.whole("v11")
		s.neverMixed("v2", "v11")
	})
	t.Run("reject", func(t *testing.T) {
		t.Parallel()
		exhaustive(t)
		s := open(t, layout{steps: ask, more: "  concurrency: reject"})
		s.deploy("v2").want(4)
		p := s.deploy("v11")
		p.want(5)
		p.mentions("waits for an approval")
		s.run(0, "promote")
		s.whole("v2")
		s.neverMet("v11")
	})
	t.Run("queue", func(t *testing.T) {
		t.Parallel()
		exhaustive(t)
		s := open(t, layout{steps: ask, more: "  concurrency: queue"})
		s.deploy("v2").want(4)
		p := s.deploy("v11")
		p.tells("begins when it has ended")
		s.run(0, "promote")
		p.want(4)
		s.run(0, "promote")
		s.whole("v11")
		s.neverMixed("v1", "v11")
	})
}
