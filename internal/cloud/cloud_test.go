package cloud_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/cloud"
)

var start = time.Date(2026, 3, 14, 3, 0, 0, 0, time.UTC)

func environment(values map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := values[name]; return v, ok }
}

// signer are credentials as a login action leaves them.
func signer() map[string]string {
	return map[string]string{"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "session"}
}

// TestEKS: the token is a presigned request that names the cluster in a signed header and lives as long as the API server
// takes it.
func TestEKS(t *testing.T) {
	source, err := cloud.New(cloud.Plugin{Command: "/usr/local/bin/aws", Clock: clock.NewVirtual(start), Getenv: environment(signer()),
		Args: []string{"--region", "eu-west-1", "eks", "get-token", "--cluster-name", "shop", "--output", "json"}})
	if err != nil {
		t.Fatal(err)
	}
	token, err := source.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(token.Value, "k8s-aws-v1."))
	if err != nil || !strings.HasPrefix(token.Value, "k8s-aws-v1.") {
		t.Fatalf("token %q: %v", token.Value, err)
	}
	signed, err := url.Parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	q := signed.Query()
	for name, want := range map[string]string{"Action": "GetCallerIdentity", "Version": "2011-06-15", "X-Amz-Expires": "60", "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
		"X-Amz-Credential": "AKIAEXAMPLE/20260314/eu-west-1/sts/aws4_request", "X-Amz-Date": "20260314T030000Z", "X-Amz-Security-Token": "session",
		"X-Amz-SignedHeaders": "host;x-k8s-aws-id"} {
		if q.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, q.Get(name), want)
		}
	}
	if signed.Host != "sts.eu-west-1.amazonaws.com" || len(q.Get("X-Amz-Signature")) != 64 {
		t.Errorf("signed %s", signed)
	}
	if left := token.Expires.Sub(start); left < 13*time.Minute || left > 15*time.Minute {
		t.Errorf("the token lives %s", left)
	}
}

// reply answers every request with the same text, and keeps the last one.
type reply struct {
	text string
	kind string
	last string
}

func (r *reply) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
	}
	r.last = req.URL.String() + " " + string(body)
	recorder := httptest.NewRecorder()
	recorder.Header().Set("Content-Type", r.kind)
	fmt.Fprint(recorder, r.text)
	resp := recorder.Result()
	resp.Request = req
	return resp, nil
}

// TestEKSRole: a role that the kubeconfig names is assumed first.
func TestEKSRole(t *testing.T) {
	answer := &reply{kind: "text/xml", text: `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2036-03-14T04:00:00Z</Expiration>
</Credentials></AssumeRoleResult></AssumeRoleResponse>`}
	source, err := cloud.New(cloud.Plugin{Command: "aws", Clock: clock.NewVirtual(start), Getenv: environment(signer()), Transport: answer,
		Args: []string{"eks", "get-token", "--cluster-name=shop", "--region=eu-west-1", "--role-arn", "arn:aws:iam::1:role/deploy"}})
	if err != nil {
		t.Fatal(err)
	}
	token, err := source.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text, _ := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(token.Value, "k8s-aws-v1."))
	if !strings.Contains(string(text), "ASIAROLE") || !strings.Contains(answer.last, "role%2Fdeploy") {
		t.Errorf("signed %s after asking %s", text, answer.last)
	}
}

// TestGKE: the default credentials' token, here of a service account whose key lies in a file.
func TestGKE(t *testing.T) {
	google := &reply{kind: "application/json", text: `{"access_token":"ya29.example","expires_in":3600,"token_type":"Bearer"}`}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	account, err := json.Marshal(map[string]string{"type": "service_account", "client_email": "ci@example.iam.gserviceaccount.com", "token_uri": "https://oauth2.test/token",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "account.json")
	if err := os.WriteFile(path, account, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", path)
	source, err := cloud.New(cloud.Plugin{Command: "gke-gcloud-auth-plugin", Clock: clock.NewVirtual(start), Transport: google})
	if err != nil {
		t.Fatal(err)
	}
	token, err := source.Token(t.Context())
	if err != nil || token.Value != "ya29.example" || time.Until(token.Expires) < 50*time.Minute {
		t.Errorf("token %+v: %v", token, err)
	}
}

// TestAKS: a service principal's token for the application of all AKS clusters.
func TestAKS(t *testing.T) {
	entra := &azureDouble{}
	source, err := cloud.New(cloud.Plugin{Command: "kubelogin", Clock: clock.NewVirtual(start), Transport: entra,
		Getenv: environment(map[string]string{"AAD_SERVICE_PRINCIPAL_CLIENT_SECRET": "secret"}),
		Args:   []string{"get-token", "--login", "spn", "--server-id", "6dae42f8-4368-4678-94ff-3960e28e3630", "--client-id", "app", "--tenant-id", "tenant"}})
	if err != nil {
		t.Fatal(err)
	}
	token, err := source.Token(t.Context())
	if err != nil || token.Value != "entra.example" {
		t.Errorf("token %+v: %v", token, err)
	}
	if !strings.Contains(entra.asked, "6dae42f8-4368-4678-94ff-3960e28e3630%2F.default") {
		t.Errorf("asked for %s", entra.asked)
	}
}

// azureDouble answers as Entra ID does: who issues tokens, where, and a token.
type azureDouble struct{ asked string }

func (d *azureDouble) RoundTrip(req *http.Request) (*http.Response, error) {
	const host = "https://login.microsoftonline.com"
	text := `{"token_type":"Bearer","expires_in":3599,"access_token":"entra.example"}`
	switch {
	case strings.Contains(req.URL.Path, "/discovery/instance"):
		text = `{"tenant_discovery_endpoint":"` + host + `/tenant/v2.0/.well-known/openid-configuration","metadata":[{"preferred_network":"login.microsoftonline.com",` +
			`"preferred_cache":"login.windows.net","aliases":["login.microsoftonline.com"]}]}`
	case strings.Contains(req.URL.Path, "openid-configuration"):
		text = `{"token_endpoint":"` + host + `/tenant/oauth2/v2.0/token","issuer":"` + host + `/tenant/v2.0","authorization_endpoint":"` + host + `/tenant/oauth2/v2.0/authorize"}`
	default:
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		d.asked = string(body)
	}
	return (&reply{kind: "application/json", text: text}).RoundTrip(req.Clone(context.WithoutCancel(req.Context())))
}

// TestRefused: what cannot work here says what to do instead.
func TestRefused(t *testing.T) {
	for _, tc := range []struct {
		name   string
		plugin cloud.Plugin
		want   string
	}{
		{"no cluster", cloud.Plugin{Command: "aws", Args: []string{"sts", "whoami"}}, "--cluster-name"},
		{"no region", cloud.Plugin{Command: "aws", Args: []string{"eks", "get-token", "--cluster-name", "shop"}}, "AWS_REGION"},
		{"a profile", cloud.Plugin{Command: "aws", Args: []string{"eks", "get-token", "--cluster-name", "shop", "--region", "r", "--profile", "me"}}, "without --profile"},
		{"a person", cloud.Plugin{Command: "kubelogin", Args: []string{"get-token", "--login", "devicecode"}}, "convert-kubeconfig"},
		{"another", cloud.Plugin{Command: "vault"}, "known are aws"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := cloud.New(tc.plugin); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q in it", err, tc.want)
			}
		})
	}
	if cloud.Known("sh") || !cloud.Known(`C:\tools\kubelogin.exe`) || !cloud.Known("/opt/aws") {
		t.Error("the wrong programs are known")
	}
}

// counted makes a new token each time.
type counted struct {
	clock clock.Clock
	n     int
	err   error
}

func (c *counted) Token(context.Context) (cloud.Token, error) {
	c.n++
	return cloud.Token{Value: fmt.Sprintf("token-%d", c.n), Expires: c.clock.Now().Add(10 * time.Minute)}, c.err
}

// TestTransport: a token is used until shortly before its end, and told as a secret before it is sent.
func TestTransport(t *testing.T) {
	virtual := clock.NewVirtual(start)
	source := &counted{clock: virtual}
	var secrets, sent []string
	next := roundTrip(func(req *http.Request) (*http.Response, error) {
		sent = append(sent, req.Header.Get("Authorization"))
		return httptest.NewRecorder().Result(), nil
	})
	carrier := cloud.Transport(source, virtual, func(s []string) { secrets = append(secrets, s...) }, next)
	ask := func() error {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://cluster.test", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := carrier.RoundTrip(req)
		if err == nil {
			resp.Body.Close()
		}
		if req.Header.Get("Authorization") != "" {
			t.Error("the caller's request was changed")
		}
		return err
	}
	for _, wait := range []time.Duration{0, 8 * time.Minute, 2 * time.Minute} {
		virtual.Advance(wait)
		if err := ask(); err != nil {
			t.Fatal(err)
		}
	}
	if got := fmt.Sprint(sent); got != "[Bearer token-1 Bearer token-1 Bearer token-2]" || fmt.Sprint(secrets) != "[token-1 token-2]" {
		t.Errorf("sent %s, secrets %v", got, secrets)
	}
	source.err = errors.New("the cloud is away")
	virtual.Advance(time.Hour)
	if err := ask(); !errors.Is(err, source.err) {
		t.Errorf("error %v", err)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
