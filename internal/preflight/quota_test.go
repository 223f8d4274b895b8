package preflight

import (
	"errors"
	"fmt"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tidegate/tidegate/internal/plan"
)

func TestPodSum(t *testing.T) {
	for _, test := range []struct{ name, spec, want string }{
		{"containers", `{containers: [{resources: {requests: {cpu: 100m}}}, {resources: {requests: {cpu: 1}}}]}`, "1100m"},
		{"limit instead of request", `{containers: [{resources: {limits: {cpu: 200m}}}]}`, "200m"},
		{"large init container", `{initContainers: [{resources: {requests: {cpu: 3}}}], containers: [{resources: {requests: {cpu: 1}}}]}`, "3"},
		{"small init container", `{initContainers: [{resources: {requests: {cpu: 500m}}}], containers: [{resources: {requests: {cpu: 1}}}]}`, "1"},
		{"sidecar", `{initContainers: [{restartPolicy: Always, resources: {requests: {cpu: 3}}}], containers: [{resources: {requests: {cpu: 1}}}]}`, "4"},
		{"overhead", `{overhead: {cpu: 250m}, containers: [{resources: {requests: {cpu: 1}}}]}`, "1250m"},
		{"nothing", `{containers: [{name: a}]}`, "0"},
		{"nonsense", `{containers: [{resources: {requests: {cpu: lots}}}]}`, "0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			sum := podSum(plan.Object{"spec": parse(t, test.spec)}, "requests", "cpu")
			if got := sum.String(); got != test.want {
				t.Errorf("sum is %s, not %s", got, test.want)
			}
		})
	}
}

func TestSurge(t *testing.T) {
	for _, test := range []struct {
		strategy string
		want     int
	}{
		{`{}`, 3}, {`{type: Recreate}`, 0}, {`{rollingUpdate: {maxSurge: 2}}`, 2}, {`{rollingUpdate: {maxSurge: 50%}}`, 5}, {`{rollingUpdate: {maxSurge: 0}}`, 0},
	} {
		if got := surge(parse(t, `{spec: {strategy: `+test.strategy+`}}`), 9); got != test.want {
			t.Errorf("%s: surge is %d, not %d", test.strategy, got, test.want)
		}
	}
}

func TestPriority(t *testing.T) {
	for _, test := range []struct {
		operator, class string
		want            bool
	}{
		{"In", "high", true}, {"In", "low", false}, {"NotIn", "high", false}, {"NotIn", "low", true},
		{"Exists", "low", true}, {"Exists", "", false}, {"DoesNotExist", "", true}, {"DoesNotExist", "low", false},
	} {
		e := plan.Object{"operator": test.operator, "values": []any{"high"}}
		if got := priority(e, test.class); got != test.want {
			t.Errorf("%+v: %v", test, got)
		}
	}
}

func TestVerdict(t *testing.T) {
	teapot := &apierrors.StatusError{ErrStatus: metav1.Status{Code: 418, Message: `admission webhook "k.example" denied the request: no`}}
	for _, test := range []struct {
		err  error
		want string
	}{
		{nil, ""}, {errors.New("connection refused"), ""}, {fmt.Errorf("dry run: %w", teapot), "refused"},
	} {
		if f, found := verdict(plan.Ref{Kind: "Deployment"}, test.err); f.Name != test.want || found != (test.want != "") {
			t.Errorf("%v: verdict is %v %v", test.err, f, found)
		}
	}
}

func TestUnreadGrantsAreNotJudged(t *testing.T) {
	w := newWorld(t)
	fromFront(`{name: checkout, kind: Service}`)(w)
	w.start()
	w.server.Deny(denies("list", "referencegrants"))
	found, err := w.check(Options{})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, found, "not-looked-at", []string{"whether the routes of other namespaces"})
}

func TestClusterErrorsAreNotFindings(t *testing.T) {
	w := newWorld(t)
	o, in, p := w.compiled()
	gone := errors.New("the lock is lost")
	ctx, cancel := cancelled(t, gone)
	defer cancel()
	if _, err := Check(ctx, w.client, o, in, p, Options{}); !errors.Is(err, gone) {
		t.Errorf("error is %v", err)
	}
	if _, err := Observe(ctx, w.client, w.deploy, "shop"); !errors.Is(err, gone) {
		t.Errorf("error is %v", err)
	}
}
