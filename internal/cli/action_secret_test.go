package cli_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
	"github.com/tidegate/tidegate/internal/sandbox/github"
	"github.com/tidegate/tidegate/internal/sandbox/runner"
)

// spied starts containers whose streams are kept as they are: the runner would mask them.
type spied struct {
	runner.Container
	mu   sync.Mutex
	said bytes.Buffer
}

func (s *spied) Start(i runner.Invocation) (*exec.Cmd, error) {
	i.Stdout, i.Stderr = s.to(i.Stdout), s.to(i.Stderr)
	return s.Container.Start(i)
}

func (s *spied) to(w io.Writer) io.Writer {
	return writer(func(p []byte) (int, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.said.Write(p)
		return w.Write(p)
	})
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

// unmasked is all that was said but the masks themselves, which must name what they mask.
func (s *spied) unmasked() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var text strings.Builder
	for line := range strings.Lines(s.said.String()) {
		if !strings.HasPrefix(line, "::add-mask::") {
			text.WriteString(line)
		}
	}
	return text.String()
}

// secrets are planted wherever a user could have one.
const (
	kubeToken    = "k8s-bearer-t0ken-0123456789"
	kubePassword = "k8s-passw0rd-0123456789"
	promToken    = "pr0metheus-t0ken-0123456789"
	promKey      = `pr0metheus-k3y/+"0123456789`
	privateKey   = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIFirstLineOfThePrivateKeyOfTheClientThatNobodyMaySee0001\nsecondLineOfThePrivateKeyOfTheClientThatNobodyMaySee000000000002\n-----END EC PRIVATE KEY-----\n"
)

// planted is a kubeconfig with secrets, of the current user and of others.
func planted(s *stage) string {
	return fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: sandbox
contexts: [{name: sandbox, context: {cluster: sandbox, user: token}}]
clusters: [{name: sandbox, cluster: {server: %q}}]
users:
- {name: token, user: {token: %s}}
- {name: basic, user: {username: mara, password: %s}}
- {name: key, user: {client-key-data: %s}}
`, s.cluster.APIURL(), kubeToken, kubePassword, base64.StdEncoding.EncodeToString([]byte(privateKey)))
}

// forbidden are all secrets in the forms in which they could come out.
func forbidden(s *stage) []string {
	all := []string{strings.Split(privateKey, "\n")[1], strings.Split(privateKey, "\n")[2],
		base64.StdEncoding.EncodeToString([]byte(privateKey)), base64.StdEncoding.EncodeToString([]byte(planted(s))),
		base64.StdEncoding.EncodeToString([]byte("mara:" + kubePassword))}
	for _, secret := range []string{jobToken, kubeToken, kubePassword, promToken, promKey} {
		quoted, _ := json.Marshal(secret) // a string always can be
		all = append(all, secret, strings.Trim(string(quoted), `"`), base64.RawStdEncoding.EncodeToString([]byte(secret)))
	}
	return all
}

// rude answers every query with what it was sent.
func rude(t *testing.T) *httptest.Server {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		text := fmt.Sprintf("Prometheus does not let %s at %s with %s", r.Header.Get("Authorization"), r.URL.Path, r.Header.Get("X-Key"))
		_ = json.NewEncoder(w).Encode(map[string]string{"status": "error", "errorType": "bad_data", "error": text})
	}))
	t.Cleanup(server.Close)
	return server
}

// leaks is all that came out of a job, by where.
func leaks(t *testing.T, s *stage, j *job, spy *spied, outcomes ...runner.Outcome) map[string]string {
	t.Helper()
	texts := map[string]string{"streams": spy.unmasked()}
	for i, o := range outcomes {
		texts[fmt.Sprintf("outputs of %d", i)] = fmt.Sprint(o.Outputs)
		texts[fmt.Sprintf("state of %d", i)] = fmt.Sprint(o.State)
		texts[fmt.Sprintf("annotations of %d", i)] = fmt.Sprint(o.Annotations)
		texts[fmt.Sprintf("log of %d", i)] = o.Log
	}
	for _, pattern := range []string{filepath.Join(j.Temp(), "_runner_file_commands", "*"), filepath.Join(j.Workspace(), "tidegate-report", "*")} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no files fit %s: %v", pattern, err)
		}
		for _, path := range files {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			texts[path] = string(text)
		}
	}
	for i, r := range s.hub.Requests() {
		texts[fmt.Sprintf("request %d to GitHub", i)] = r.Path + "\n" + r.Body
	}
	for _, r := range apiserver.Resources() {
		for _, o := range s.cluster.API().Store().List(r.GR(), "", nil) {
			text, err := json.Marshal(o.Object)
			if err != nil {
				t.Fatal(err)
			}
			texts[r.Plural+" "+o.GetName()] = string(text) + unpacked(t, o.Object["binaryData"])
		}
	}
	return texts
}

// unpacked is the record in a ConfigMap.
func unpacked(t *testing.T, data any) string {
	t.Helper()
	m, _ := data.(map[string]any)
	packed, ok := m["record"].(string)
	if !ok {
		return ""
	}
	raw, err := base64.StdEncoding.DecodeString(packed)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestActionSecrets: a cluster, a provider and GitHub that repeat what they were sent do not make Tidegate repeat it.
func TestActionSecrets(t *testing.T) {
	t.Parallel()
	gated := release("shop", "checkout", "prometheus: {url", `prometheus: {bearerToken: "${PROM_TOKEN}", headers: {X-Key: "${PROM_KEY}"}, url`,
		"      every: 1s\n", "      every: 1s\n      noData: fail\n")
	said := func() string { // what was sent is said without looking: over plain HTTP no client sends it
		return "the server does not take Bearer " + kubeToken + " nor " +
			base64.StdEncoding.EncodeToString([]byte(kubeToken)) + " nor Basic " + base64.StdEncoding.EncodeToString([]byte("mara:"+kubePassword))
	}
	for _, tt := range []struct {
		name    string
		prepare func(s *stage, j *job)
		code    int
		result  string
		reason  string // what is left of the rude answer
	}{
		{"the provider", func(s *stage, j *job) { j.Env["PROMETHEUS_URL"] = rude(s.t).URL }, 3, "rolled-back", "Prometheus does not let"},
		{"the cluster, when the rollout begins", func(s *stage, _ *job) {
			s.cluster.API().Intercept(func(*http.Request) *apiserver.Fault {
				return &apiserver.Fault{Answer: apierrors.NewBadRequest(said())}
			})
		}, 1, "failed", "does not take"},
		{"the cluster, half-way", func(s *stage, _ *job) {
			s.cluster.API().Intercept(func(req *http.Request) *apiserver.Fault {
				if req.Method == http.MethodGet || req.Method == http.MethodDelete || !strings.Contains(req.URL.Path, "/deployments") ||
					req.URL.Query().Get("dryRun") != "" {
					return nil
				}
				return &apiserver.Fault{Answer: apierrors.NewBadRequest(said())}
			})
		}, 3, "rolled-back", "does not take"},
		{"GitHub", func(s *stage, j *job) {
			s.hub.Fault(func(req *http.Request) *github.Answer {
				return &github.Answer{Status: http.StatusUnprocessableEntity, Header: http.Header{"Content-Type": {"application/json"}},
					Body: fmt.Sprintf(`{"message":"who sends %s?"}`, req.Header.Get("Authorization"))}
			})
			j.Env["PROMETHEUS_URL"] = rude(s.t).URL
		}, 3, "rolled-back", "Prometheus does not let"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, setup{})
			j := s.job(gated)
			spy := &spied{Container: j.Container}
			j.Container = spy
			j.with["kubeconfig"] = base64.StdEncoding.EncodeToString([]byte(planted(s)))
			j.Env["PROM_TOKEN"], j.Env["PROM_KEY"] = promToken, promKey
			tt.prepare(s, j)
			main := j.start("image", "shop:v2", "checks", "true")
			o := main.Wait()
			j.faultless(o)
			want(t, o, tt.code, tt.result)
			contains(t, "the reason", o.Outputs["reason"], tt.reason, "***")
			if tt.name == "GitHub" {
				contains(t, "the log", o.Log, "who sends Bearer ***?")
			}
			post := j.post(main)
			for where, text := range leaks(t, s, j, spy, o, post) {
				for _, secret := range forbidden(s) {
					if strings.Contains(text, secret) {
						t.Errorf("%q is in %s:\n%s", secret, where, text)
					}
				}
			}
		})
	}
}

// TestActionState: the state has the spec as it was written, with the names of secrets and not their values.
func TestActionState(t *testing.T) {
	t.Parallel()
	s := open(t, setup{})
	j := s.job(release("shop", "checkout", "prometheus: {url", `prometheus: {bearerToken: "${PROM_TOKEN}", url`))
	j.Env["PROM_TOKEN"] = promToken
	o := j.run("image", "shop:v1")
	want(t, o, 0, "unchanged")
	contains(t, "the state", o.State["left"], "${PROM_TOKEN}", "${PROMETHEUS_URL}", commit)
	if strings.Contains(o.State["left"], promToken) || strings.Contains(o.State["left"], s.cluster.PrometheusURL()) {
		t.Errorf("the state has a value: %s", o.State["left"])
	}
}

// TestActionKubeconfigCut: a kubeconfig that was pasted wrongly is not quoted.
func TestActionKubeconfigCut(t *testing.T) {
	t.Parallel()
	s := open(t, setup{})
	cut := base64.StdEncoding.EncodeToString([]byte(planted(s)))[9:]
	j := s.job(release("shop", "checkout"))
	spy := &spied{Container: j.Container}
	j.Container = spy
	o := j.run("image", "shop:v2", "kubeconfig", cut)
	want(t, o, 2, "invalid")
	contains(t, "the reason", o.Outputs["reason"], "input kubeconfig is neither")
	if text := spy.unmasked() + fmt.Sprint(o.Outputs) + o.Summary; strings.Contains(text, cut[:40]) {
		t.Errorf("the input is quoted:\n%s", text)
	}
}
