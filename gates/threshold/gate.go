package threshold

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/metrics"
	"github.com/tidegate/tidegate/internal/metrics/query"
)

// Config is one threshold gate of a spec. Fail may be empty.
type Config struct {
	Name       string
	Query      string // template over query.Vars
	Pass, Fail string
	Interval   time.Duration // what the query calls .Interval
}

// Source answers queries; every metrics.Provider is one.
type Source interface {
	Query(ctx context.Context, query string) (metrics.Result, error)
}

// Gate is safe for concurrent use.
type Gate struct {
	name       string
	interval   time.Duration
	query      *query.Template
	pass, fail *condition // fail may be nil
	source     Source
}

var (
	_ gates.Gate    = (*Gate)(nil)
	_ gates.Sighted = (*Gate)(nil)
)

// New checks everything that can be checked without asking.
func New(cfg Config, source Source) (*Gate, error) {
	g := &Gate{name: cfg.Name, interval: cfg.Interval, source: source}
	var err error
	if g.query, err = query.Parse(cfg.Query); err != nil {
		return nil, fmt.Errorf("gate %s: %w", cfg.Name, err)
	}
	if cfg.Pass == "" {
		return nil, fmt.Errorf("gate %s: %w", cfg.Name, errors.New("pass is missing; write a condition such as result < 0.01"))
	}
	if g.pass, err = compile(cfg.Pass); err != nil {
		return nil, fmt.Errorf("gate %s: pass: %w", cfg.Name, err)
	}
	if cfg.Fail != "" {
		if g.fail, err = compile(cfg.Fail); err != nil {
			return nil, fmt.Errorf("gate %s: fail: %w", cfg.Name, err)
		}
	}
	return g, nil
}

// Name is the gate's name in the spec.
func (g *Gate) Name() string { return g.name }

// Render is the query for the side that carries the new version.
func (g *Gate) Render(in gates.Input) (string, error) {
	return g.query.Render(query.Vars{
		Namespace: in.Namespace, Name: in.Name, Track: in.Candidate.Track, Pods: query.Pods(in.Candidate.Pods),
		Service: in.Candidate.Service, Revision: in.Revision, Interval: query.Interval(g.interval),
	})
}

// Check asks the query once. An error means that there was no answer.
func (g *Gate) Check(ctx context.Context, in gates.Input) (gates.Verdict, error) {
	text, err := g.Render(in)
	if err != nil {
		return gates.Verdict{}, err
	}
	result, err := g.source.Query(ctx, text)
	if err != nil {
		return gates.Verdict{Evidence: gates.Evidence{Query: text}}, err
	}
	v := g.judge(answer(result))
	v.Reason += warnings(result)
	v.Evidence = evidence(text, result)
	return v, nil
}

// Sees implements gates.Sighted: the query answers with a series, even if its value is NaN for want of requests.
func (g *Gate) Sees(ctx context.Context, in gates.Input) (bool, error) {
	text, err := g.Render(in)
	if err != nil {
		return false, err
	}
	result, err := g.source.Query(ctx, text)
	return err == nil && len(result.Series) > 0, err
}

// judge combines what the conditions say.
func (g *Gate) judge(a answer) gates.Verdict {
	pass := g.pass.judge(a)
	if g.fail == nil {
		switch pass.truth {
		case yes:
			return gates.Verdict{Outcome: gates.Pass, Reason: pass.says}
		case no:
			return gates.Verdict{Outcome: gates.Fail, Reason: pass.says}
		}
		return noData(pass)
	}
	fail := g.fail.judge(a)
	switch {
	case pass.truth == yes && fail.truth == yes:
		return gates.Verdict{Outcome: gates.Fail, Reason: "both pass and fail are true, which is a failure: " + pass.says + "; " + fail.says}
	case fail.truth == yes:
		return gates.Verdict{Outcome: gates.Fail, Reason: fail.says}
	case pass.truth == yes && (fail.truth == no || fail.truth == missing && len(a.Series) <= 1):
		return gates.Verdict{Outcome: gates.Pass, Reason: pass.says}
	case fail.truth == missing || fail.truth == misfit:
		return noData(fail)
	case pass.truth == missing || pass.truth == misfit:
		return noData(pass)
	}
	return gates.Verdict{Outcome: gates.Pending, Reason: "neither pass nor fail is true: " + pass.says + "; " + fail.says}
}

func noData(f finding) gates.Verdict {
	return gates.Verdict{Outcome: gates.Pending, NoData: true, Reason: f.says}
}
