package story

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/engine"
)

// below is a threshold's verdict on a value.
func below(v, limit float64, query string) gates.Verdict {
	is, outcome := "is", gates.Pass
	if v >= limit {
		is, outcome = "is not", gates.Fail
	}
	return gates.Verdict{Outcome: outcome, Reason: fmt.Sprintf("%.4g %s < %g (result < %g)", v, is, limit, limit),
		Evidence: gates.Evidence{Query: query, Value: gates.Number(v)}}
}

const (
	errorsQuery  = `sum(rate(http_requests_total{pod=~"checkout-candidate-[0-9a-z]+",code=~"5.."}[1m])) / sum(rate(http_requests_total{pod=~"checkout-candidate-[0-9a-z]+"}[1m]))`
	latencyQuery = `histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket{pod=~"checkout-candidate-[0-9a-z]+"}[1m])))`
)

// wave is a value that moves a little around a middle.
func wave(n int, middle, swing float64) float64 {
	return math.Round((middle+swing*math.Sin(float64(n)*1.7)*math.Cos(float64(n)*0.4))*1e5) / 1e5
}

// Healthy gates pass at every look.
func Healthy() Verdicts {
	return Verdicts{
		"kubernetes": func(int) (gates.Verdict, error) {
			return gates.Verdict{Outcome: gates.Pass, Reason: "2 of 2 candidate pods are ready, no restarts",
				Evidence: gates.Evidence{Value: gates.Number(2), Text: "2 of 2 candidate pods are ready"}}, nil
		},
		"errors":  func(n int) (gates.Verdict, error) { return below(wave(n, 0.0012, 0.0009), 0.01, errorsQuery), nil },
		"latency": func(n int) (gates.Verdict, error) { return below(wave(n, 0.212, 0.02), 0.5, latencyQuery), nil },
	}
}

// Failing is healthy until the n-th look, when errors rise.
func Failing(at int) Verdicts {
	v := Healthy()
	good := v["errors"]
	v["errors"] = func(n int) (gates.Verdict, error) {
		if n >= at {
			return below(0.1+0.11*float64(n-at), 0.01, errorsQuery), nil
		}
		return good(n)
	}
	return v
}

// Silent is healthy, but the provider of errors does not answer from the n-th look on.
func Silent(at int) Verdicts {
	v := Healthy()
	good := v["errors"]
	v["errors"] = func(n int) (gates.Verdict, error) {
		if n >= at {
			return gates.Verdict{Evidence: gates.Evidence{Query: errorsQuery}}, errors.New("Prometheus at https://prom.example.com did not answer: connection refused")
		}
		return good(n)
	}
	return v
}

// upTo begins a healthy rollout and runs the steps before n.
func upTo(n int, say Verdicts) *Story {
	s := New(Canary()).Begin()
	for i := range n {
		work := 7 * time.Second
		s.Step(i, work, 0, say)
	}
	return s
}

// Good is a rollout to its end.
func Good() *Story { return upTo(len(Canary().Steps), Healthy()).Succeed() }

// During is a good rollout, for so long in step i.
func During(i int, held time.Duration) *Story {
	s := upTo(i, Healthy())
	s.Step(i, 7*time.Second, held, Healthy())
	return s
}

// Bad is a rollout whose errors rise while 25 % of the requests meet the new version: it turns at the third failure in a row.
func Bad() *Story {
	s := Turned()
	return s.Back(10, 3*time.Second)
}

// Turned is Bad at the moment at which it turns.
func Turned() *Story {
	say := Failing(24)
	s := New(Canary()).Rule("errors", gates.Rule{Of: 3, In: 3}).Begin()
	s.Step(0, 7*time.Second, 0, say)
	s.Step(1, 7*time.Second, 0, say)
	s.Step(2, 7*time.Second, 0, say)
	return s
}

// Aborted is a rollout that a person stops at 25 %.
func Aborted() *Story {
	s := During(2, 40*time.Second).Wait(4 * time.Second)
	return s.Turn(engine.CauseAbort, "aborted by mara@laptop: customers report double charges", "mara@laptop").Back(10, 3*time.Second)
}

// Crashed is a rollout whose candidate never gets ready, and whose last words try to command terminals and CI systems.
func Crashed() *Story {
	s := New(Canary()).Begin()
	s.Step(0, -1, 0, nil)
	s.Wait(12*time.Second + time.Millisecond)
	return s.Turn(engine.CauseFailure, "could not create the candidate, sized for 5% of the traffic, and wait until it is ready: "+
		"the candidate's pod checkout-candidate-7d9f-x2x, container app, crashes again and again (exit code 1, Error, 3 restarts)\nits last words:\n"+
		"  \x1b[31mpanic: no DATABASE_URL\x1b[0m\n  ::add-mask::postgres\n  ##[error]look here\n  goroutine 1 [running]:\n  \tmain.main()\r\n  \t\t/src/main.go:17 +0x1d\n"+
		"its last events:\n  BackOff: Back-off restarting failed container app\n"+
		"Its last words are below; run the image with the same settings to see more.", "").Back(10, 3*time.Second)
}

// Silenced is a rollout whose errors cannot be measured any more.
func Silenced() *Story {
	say := Silent(20)
	s := New(Canary()).Rule("errors", gates.Rule{NoData: gates.NoDataWait, NoDataFor: time.Minute}).Begin()
	s.Step(0, 7*time.Second, 0, say)
	s.Step(1, 7*time.Second, 0, say)
	s.Step(2, 7*time.Second, 0, say)
	return s.Back(10, 3*time.Second)
}

// Cancelled is a rollout whose run is stopped at 25 %.
func Cancelled() *Story {
	s := During(2, 40*time.Second).Wait(3 * time.Second)
	return s.Tell(engine.Event{Kind: engine.EventStopped, Message: engine.ErrCancelled.Error(), Err: engine.ErrCancelled})
}

// Resumed is the run that carries Cancelled on to its end: its own events only.
func Resumed() *Story {
	s := Cancelled().Wait(95 * time.Second)
	s.Events = nil
	s.Record.Rollout.Holder = "https://github.com/acme/shop/actions/runs/4712 (attempt 1)"
	s.Tell(engine.Event{Kind: engine.EventResumed})
	for i := s.Record.Rollout.Step; i < len(s.Record.Rollout.Plan.Steps); i++ {
		s.Step(i, 3*time.Second, 0, Healthy())
	}
	return s.Succeed()
}

// Stuck is a rollout whose way back fails after the requests are safe.
func Stuck() *Story {
	s := Turned().Back(1, 3*time.Second).Wait(2 * time.Minute)
	return s.FailBack(`could not remove the candidate and all that was made for it: deployments.apps "checkout-candidate" is forbidden: User "ci" cannot delete resource "deployments"`)
}

// Beginning is a rollout whose candidate is not ready yet.
func Beginning() *Story {
	s := New(Canary()).Begin()
	s.Step(0, -1, 0, nil)
	return s.Wait(5*time.Second + time.Millisecond)
}

// Settling is a good rollout that rolls its base.
func Settling() *Story {
	s := upTo(6, Healthy())
	s.Step(6, -1, 0, nil)
	return s.Wait(31 * time.Second)
}

// Doubtful is Bad after the second failure in a row.
func Doubtful() *Story {
	say := Failing(24)
	s := New(Canary()).Rule("errors", gates.Rule{Of: 3, In: 3}).Begin()
	s.Step(0, 7*time.Second, 0, say)
	s.Step(1, 7*time.Second, 0, say)
	s.Step(2, 7*time.Second, 110*time.Second, say)
	return s
}

// Waiting is Silenced while the rollout is paused.
func Waiting() *Story {
	say := Silent(20)
	s := New(Canary()).Rule("errors", gates.Rule{NoData: gates.NoDataWait, NoDataFor: time.Minute}).Begin()
	s.Step(0, 7*time.Second, 0, say)
	s.Step(1, 7*time.Second, 0, say)
	s.Step(2, 7*time.Second, 2*time.Minute, say)
	return s
}

// Halfway is a rollout that fails on its way from 25 to 50 %, before the step is in force.
func Halfway() *Story {
	s := upTo(3, Healthy())
	s.Step(3, -1, 0, nil)
	s.Wait(31 * time.Second)
	return s.Turn(engine.CauseFailure, "could not send 50% of the requests to the candidate: the gateway did not accept the route within 30s", "").Back(10, 3*time.Second)
}

// Superseded is a rollout that a newer one undoes at 25 %.
func Superseded() *Story {
	s := During(2, time.Minute)
	return s.Turn(engine.CauseSuperseded, "superseded by https://github.com/acme/shop/actions/runs/4712", "run 4712").Back(10, time.Second)
}
