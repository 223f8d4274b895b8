package cli_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/sandbox"
	"github.com/tidegate/tidegate/internal/sandbox/github"
	"github.com/tidegate/tidegate/internal/sandbox/load"
	"github.com/tidegate/tidegate/internal/sandbox/runner"
	"github.com/tidegate/tidegate/internal/sandbox/service"
)

// crowd runs more tests at once than there are processors, for they wait more than they work, and removes what the tests
// share at the end.
type crowd struct{ *testing.M }

func (c crowd) Run() int {
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer built.remove()
	return c.M.Run()
}

// binary is the program, built once for all tests.
type binary struct {
	once sync.Once
	dir  string
	err  error
}

var built binary

func (b *binary) path(t *testing.T) string {
	t.Helper()
	b.once.Do(func() {
		if b.dir, b.err = os.MkdirTemp("", "tidegate"); b.err != nil {
			return
		}
		cmd := exec.Command("go", "build", "-o", filepath.Join(b.dir, "tidegate"), "../../cmd/tidegate")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if said, err := cmd.CombinedOutput(); err != nil {
			b.err = fmt.Errorf("the program does not build: %w\n%s", err, said)
		}
	})
	if b.err != nil {
		t.Fatal(b.err)
	}
	return filepath.Join(b.dir, "tidegate")
}

func (b *binary) remove() {
	if b.dir != "" {
		_ = os.RemoveAll(b.dir) // in the machine's temporary folder
	}
}

const (
	commit   = "5b1c2d3e4f5061728394a5b6c7d8e9f001122334"
	jobToken = "ghs_0123456789abcdefghij"
	patience = 2 * time.Minute
)

// stage is a cluster with a shop in it, and a GitHub.
type stage struct {
	t       *testing.T
	cluster *sandbox.Cluster
	hub     *github.Server
	hubURL  string
	jobs    int
	// unfit says that a test sends GitHub what it does not take.
	unfit bool
}

// setup is what a stage is made of beside the usual.
type setup struct {
	permissions map[string]string
	objects     string
	images      map[string]service.Config
}

func open(t *testing.T, o setup) *stage {
	t.Helper()
	images := map[string]service.Config{
		"shop:v0": {Version: "v0"}, "shop:v1": {Version: "v1"}, "shop:v2": {Version: "v2"}, "shop:v3": {Version: "v3", ErrorRate: 1},
		"shop:crash": {Version: "crash", Crash: true},
	}
	maps.Copy(images, o.images)
	ctx := context.WithoutCancel(t.Context())
	c, err := sandbox.Start(ctx, sandbox.Options{Traffic: true, ReadyAfter: 50 * time.Millisecond, Grace: 50 * time.Millisecond,
		Backoff: 200 * time.Millisecond, Images: images})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // a test may have closed it
	server, err := github.New(github.Options{Clock: clock.Real{}, Repository: "octo/shop", Token: jobToken, Permissions: o.permissions})
	if err != nil {
		t.Fatal(err)
	}
	listening := httptest.NewServer(server)
	t.Cleanup(listening.Close)
	s := &stage{t: t, cluster: c, hub: server, hubURL: listening.URL}
	t.Cleanup(func() {
		if problems := server.Problems(); len(problems) > 0 && !s.unfit {
			t.Errorf("GitHub's schema does not allow: %s", strings.Join(problems, "\n"))
		}
	})
	objects := o.objects
	if objects == "" {
		objects = app("shop", "checkout", "shop:v1")
	}
	if err := c.Apply(ctx, objects); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the pods are ready", func() bool { return c.Serving() >= strings.Count(objects, "kind: Deployment\n") })
	return s
}

func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !f(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after %s it is not so that %s", patience, what)
		}
	}
}

// app is a service with its route, in a namespace of its own.
func app(namespace, name, image string) string {
	return strings.NewReplacer("NAMESPACE", namespace, "NAME", name, "IMAGE", image).Replace(`
apiVersion: v1
kind: Namespace
metadata: {name: NAMESPACE}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME, namespace: NAMESPACE}
spec:
  replicas: 1
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec:
      terminationGracePeriodSeconds: 2
      containers:
      - name: app
        image: IMAGE
        ports: [{name: http, containerPort: 8080}]
        lifecycle: {preStop: {sleep: {seconds: 1}}}
        readinessProbe: {httpGet: {path: /healthz, port: http}}
---
apiVersion: v1
kind: Service
metadata: {name: NAME, namespace: NAMESPACE}
spec: {selector: {app: NAME}, ports: [{name: http, port: 80, targetPort: http}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: NAME, namespace: NAMESPACE}
spec:
  parentRefs: [{name: sandbox, namespace: default}]
  hostnames: [NAME.local]
  rules: [{name: main, backendRefs: [{name: NAME, port: 80}]}]
---
`)
}

// release is a spec for a service that app made. edits are pairs of old and new text.
func release(namespace, name string, edits ...string) string {
	text := strings.NewReplacer("NAMESPACE", namespace, "NAME", name).Replace(`apiVersion: tidegate.dev/v1
kind: Deploy
metadata: {name: NAME}
spec:
  workload: deployment/NAME
  namespace: NAMESPACE
  url: https://NAME.example.com
  traffic: {gatewayAPI: {httpRoute: NAME}, guard: 100ms}
  strategy: {canary: {steps: [50%], hold: 1s, drain: 0s}}
  progressDeadline: 20s
  metrics: {prom: {prometheus: {url: "${PROMETHEUS_URL}"}}}
  gates:
    - name: errors
      every: 1s
      threshold:
        query: sum(http_requests_total{namespace="{{.Namespace}}", pod=~"{{.Pods}}", code=~"5.."}) or vector(0)
        pass: result < 1
`)
	return strings.NewReplacer(edits...).Replace(text)
}

// users send requests to a service until the test ends.
func (s *stage) users(name string) *load.Stream {
	s.t.Helper()
	stream, err := load.Start(context.WithoutCancel(s.t.Context()), load.Options{URL: s.cluster.GatewayURL(), Host: name + ".local", Rate: 40})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { stream.Stop() })
	return stream
}

// job is a workflow's job whose one step is the Action.
type job struct {
	*runner.Job
	t      *testing.T
	action runner.Action
	with   map[string]string // what each step is given
}

// job prepares the next workflow run of a push, with a spec in the workspace.
func (s *stage) job(spec string) *job {
	s.t.Helper()
	s.jobs++
	made, err := runner.NewJob(filepath.Join(s.t.TempDir(), "job"), runner.Host{Binary: built.path(s.t)})
	if err != nil {
		s.t.Fatal(err)
	}
	action, err := runner.Load("../../action.yml")
	if err != nil {
		s.t.Fatal(err)
	}
	made.Token = jobToken
	made.Env = map[string]string{"GITHUB_API_URL": s.hubURL, "GITHUB_SHA": commit, "GITHUB_RUN_ID": strconv.Itoa(4710 + s.jobs),
		"PROMETHEUS_URL": s.cluster.PrometheusURL()}
	j := &job{Job: made, t: s.t, action: action, with: map[string]string{
		"environment": "production", "kubeconfig": base64.StdEncoding.EncodeToString(s.cluster.Kubeconfig()),
	}}
	if spec != "" {
		j.write("tidegate.yaml", spec)
	}
	return j
}

// write puts a file into the workspace.
func (j *job) write(name, text string) {
	j.t.Helper()
	path := filepath.Join(j.Workspace(), name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		j.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		j.t.Fatal(err)
	}
}

func (j *job) within() context.Context {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(j.t.Context()), patience)
	j.t.Cleanup(cancel)
	return ctx
}

// start begins the main step with inputs, as pairs of name and value.
func (j *job) start(inputs ...string) *runner.Step {
	j.t.Helper()
	for i := 0; i < len(inputs); i += 2 {
		j.with[inputs[i]] = inputs[i+1]
	}
	step, err := j.Job.Start(j.within(), j.action, j.with)
	if err != nil {
		j.t.Fatal(err)
	}
	j.shown("main", step)
	return step
}

// shown prints what a step said when the test fails.
func (j *job) shown(name string, step *runner.Step) {
	j.t.Cleanup(func() {
		if j.t.Failed() {
			o := step.Wait()
			j.t.Logf("── %s: %s, exit code %d, problems %q ──\n%s", name, o.Conclusion, o.ExitCode, o.Problems, o.Log)
		}
	})
}

// run is a main step to its end.
func (j *job) run(inputs ...string) runner.Outcome {
	j.t.Helper()
	o := j.start(inputs...).Wait()
	j.faultless(o)
	return o
}

// post is the post step to its end.
func (j *job) post(main *runner.Step) runner.Outcome {
	j.t.Helper()
	step, err := main.Post(j.within())
	if err != nil {
		j.t.Fatal(err)
	}
	j.shown("post", step)
	o := step.Wait()
	j.faultless(o)
	return o
}

// faultless wants nothing that the runner would drop, refuse or misunderstand.
func (j *job) faultless(o runner.Outcome) {
	j.t.Helper()
	if len(o.Problems) > 0 {
		j.t.Errorf("the runner has problems: %s", strings.Join(o.Problems, "\n"))
	}
}

func (j *job) await(step *runner.Step, text string) {
	j.t.Helper()
	if err := step.Await(j.within(), text); err != nil {
		j.t.Fatal(err)
	}
}

// half waits until half of the users meet the new version and every gate has spoken.
func (j *job) half(main *runner.Step) {
	j.t.Helper()
	for _, text := range []string{"50%  in force", "errors passes", "kubernetes passes"} {
		j.await(main, text)
	}
}

// want checks how a step ended.
func want(t *testing.T, o runner.Outcome, code int, result string) {
	t.Helper()
	if o.ExitCode != code || o.Outputs["result"] != result {
		t.Errorf("exit code %d with result %q (%s), want %d with %q", o.ExitCode, o.Outputs["result"], o.Outputs["reason"], code, result)
	}
}

// contains wants all of these in a text.
func contains(t *testing.T, what, text string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("%s has no %q:\n%s", what, want, text)
		}
	}
}

// annotations are those of a level.
func annotations(o runner.Outcome, level string) []runner.Annotation {
	var found []runner.Annotation
	for _, a := range o.Annotations {
		if a.Level == level {
			found = append(found, a)
		}
	}
	return found
}

func deployments() schema.GroupResource {
	return schema.GroupResource{Group: "apps", Resource: "deployments"}
}

// runs wants the one workload of a namespace to run an image, and nothing of a rollout beside it.
func (s *stage) runs(namespace, image string) {
	s.t.Helper()
	all := s.cluster.API().Store().View(deployments(), namespace)
	if len(all) != 1 {
		s.t.Errorf("%d Deployments in %s, want 1", len(all), namespace)
	}
	for _, d := range all {
		if text := fmt.Sprint(d.Object["spec"]); !strings.Contains(text, "image:"+image+" ") {
			s.t.Errorf("deployment %s does not run %s: %s", d.GetName(), image, text)
		}
		if text := fmt.Sprint(d.GetAnnotations()); strings.Contains(text, "tidegate") {
			s.t.Errorf("deployment %s has marks of a rollout: %s", d.GetName(), text)
		}
	}
}

// statuses are a commit's contexts, without what all begin with, and their last states.
func (s *stage) statuses(sha string) map[string]string {
	last := map[string]string{}
	for _, status := range s.hub.CommitStatuses(sha) {
		last[strings.TrimPrefix(status.Context, "tidegate/production/")] = status.State
	}
	return last
}

// calls is how many requests the cluster's API has answered.
func (s *stage) calls() int {
	n := 0
	for _, of := range s.cluster.API().Calls() {
		n += of
	}
	return n
}

// told wants these last states of a commit's contexts, and no others.
func (s *stage) told(sha string, want map[string]string) {
	s.t.Helper()
	if got := s.statuses(sha); !maps.Equal(got, want) {
		s.t.Errorf("GitHub has the statuses %v at %s, want %v", got, sha, want)
	}
}

// deployed wants one deployment on GitHub, in a state.
func (s *stage) deployed(state string) {
	s.t.Helper()
	all := s.hub.Deployments()
	if len(all) != 1 || all[0].State() != state {
		var story bytes.Buffer
		_ = s.hub.Story(&story) // into memory
		s.t.Errorf("%d deployments, want one that is %s:\n%s", len(all), state, &story)
	}
}

// without starts containers that lack variables.
type without struct {
	runner.Container
	names []string
}

func (w without) Start(i runner.Invocation) (*exec.Cmd, error) {
	i.Env = slices.DeleteFunc(slices.Clone(i.Env), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return slices.Contains(w.names, name)
	})
	return w.Container.Start(i)
}

// hanging is a GitHub that does not answer.
func hanging(*http.Request) *github.Answer { return &github.Answer{Hang: true} }

// late is a GitHub that takes its time.
func late(d time.Duration) func(*http.Request) *github.Answer {
	return func(*http.Request) *github.Answer { return &github.Answer{Delay: d} }
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}
