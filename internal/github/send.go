package github

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// olderLimit is how many older deployments are looked at, at most: there is one, where each run did its part.
const olderLimit = 3

// send tells one topic. It works on a copy of the ledger, without the lock.
func (r *Reporter) send(ctx context.Context, l *Ledger, topic string, p Post) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	name := "tidegate/" + l.Environment + "/" + l.Name
	switch {
	case topic == topicDeployment:
		return r.sendDeployment(ctx, l, p)
	case topic == topicRollout:
		return r.client.commitStatus(ctx, l.SHA, name, p, r.RunURL)
	case topic == topicCheck:
		return r.sendCheck(ctx, l, name, p)
	case topic == topicOlder:
		return r.retire(ctx, l, p)
	}
	return r.client.commitStatus(ctx, l.SHA, name+"/"+strings.TrimPrefix(topic, topicGate), p, r.RunURL)
}

// sendDeployment adds a status to the rollout's deployment, which is made first. What is there already is looked at
// before, and again after a creation whose answer was lost: a second deployment would never be closed.
func (r *Reporter) sendDeployment(ctx context.Context, l *Ledger, p Post) error {
	if !l.Listed {
		list, err := r.client.deployments(ctx, l.Environment)
		if err != nil {
			return err
		}
		r.survey(l, list)
	}
	if l.Deployment == 0 {
		ro := r.rollout(l)
		id, err := r.client.createDeployment(ctx, l, mark{
			Rollout: l.Rollout, Name: l.Name, Images: ro.Plan.Target.Images, Plan: ro.PlanDigest,
		}, r.Production && !ro.Plan.Shadow(), r.Transient || ro.Plan.Shadow())
		l.Deployment, l.Listed = id, err == nil || !ambiguous(err)
		if err != nil {
			return err
		}
	}
	return r.client.deploymentStatus(ctx, l.Deployment, p, r.URL, r.RunURL)
}

// survey takes from a list of deployments what concerns us: our own, if a run that died had made it, those before it,
// and one that the job made by itself.
func (r *Reporter) survey(l *Ledger, list []deployment) {
	l.Listed, l.Older = true, nil
	for _, d := range list {
		switch {
		case d.mark == nil:
			if d.bot && d.sha == l.SHA && r.Clock.Now().Sub(d.created).Abs() < time.Hour {
				r.warnOnce("environment", fmt.Sprintf("the job itself made a deployment to %s, which GitHub closes with the job whatever becomes of the "+
					"rollout; write `environment: {name: %s, deployment: false}` in the job", l.Environment, l.Environment))
			}
		case d.mark.Rollout == l.Rollout:
			l.Deployment = d.id
		case d.mark.Name == l.Name && len(l.Older) < olderLimit:
			l.Older = append(l.Older, d.id)
		}
	}
}

// retire makes the deployments before ours inactive. Each run does so at its end, so behind the first inactive one there
// are no active ones.
func (r *Reporter) retire(ctx context.Context, l *Ledger, p Post) error {
	for len(l.Older) > 0 {
		state, err := r.client.deploymentState(ctx, l.Older[0])
		if err != nil {
			return err
		}
		rest := l.Older[1:]
		switch state {
		case stateInactive:
			rest = nil
		case stateFailure, stateError:
		default:
			if err := r.client.deploymentStatus(ctx, l.Older[0], p, "", r.RunURL); err != nil {
				return err
			}
		}
		l.Older = rest
	}
	return nil
}

func (r *Reporter) sendCheck(ctx context.Context, l *Ledger, name string, p Post) error {
	id, err := r.client.checkRun(ctx, l.Check, l, name, conclusion(p), p.Text, r.masked(table(p, r.rollout(l))), r.RunURL)
	if err == nil {
		l.Check = id
	}
	return err
}
