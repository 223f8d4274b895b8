package cloud

import (
	"context"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tidegate/tidegate/internal/clock"
)

// Token is a bearer token for the API server of one cluster.
type Token struct {
	Value   string
	Expires time.Time
}

// Source makes tokens. A token may be asked for at any time; it is cached by [Transport].
type Source interface {
	Token(ctx context.Context) (Token, error)
}

// Plugin is the program that a kubeconfig names to make a token, with its arguments and its own environment.
type Plugin struct {
	Command string
	Args    []string
	Env     map[string]string
	Getenv  func(string) (string, bool)
	Clock   clock.Clock
	// Transport, if set, carries the requests to the cloud: tests.
	Transport http.RoundTripper
}

// env is the first of the variables that is set: by the kubeconfig for its plugin, or in the process's environment.
func (p Plugin) env(names ...string) string {
	for _, name := range names {
		value := p.Env[name]
		if value == "" && p.Getenv != nil {
			value, _ = p.Getenv(name)
		}
		if value != "" {
			return value
		}
	}
	return ""
}

// Programs are the plugins that are not needed: their tokens are made here.
func Programs() []string { return []string{"aws", "gke-gcloud-auth-plugin", "kubelogin"} }

// Known tells whether a command is one of [Programs], whatever its path.
func Known(command string) bool {
	return slices.Contains(Programs(), program(command))
}

// program is a command's name without its path, as Windows writes it too.
func program(command string) string {
	return strings.TrimSuffix(path.Base(strings.ReplaceAll(command, `\`, "/")), ".exe")
}

// New is the source of the tokens that the plugin would make.
func New(p Plugin) (Source, error) {
	switch program(p.Command) {
	case "aws":
		return newAWS(p)
	case "gke-gcloud-auth-plugin":
		return google{p}, nil
	case "kubelogin":
		return newAzure(p)
	}
	return nil, fmt.Errorf("the program %s makes tokens that are not known here; known are %s", p.Command, strings.Join(Programs(), ", "))
}

// early is how long before its end a token is made anew: requests are on their way for a while, and clocks differ.
const early = time.Minute

// Transport adds the source's token to every request, and makes a new one before the last ends. Each new token is told
// to secret first.
func Transport(s Source, c clock.Clock, secret func([]string), next http.RoundTripper) http.RoundTripper {
	return &transport{source: s, clock: c, secret: secret, next: next}
}

type transport struct {
	source Source
	clock  clock.Clock
	secret func([]string)
	next   http.RoundTripper

	mu   sync.Mutex
	last Token
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	token, err := t.token(req.Context())
	if err != nil {
		return nil, err
	}
	req = req.Clone(req.Context())
	req.Header.Set("Authorization", "Bearer "+token)
	return t.next.RoundTrip(req)
}

func (t *transport) token(ctx context.Context) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last.Value != "" && t.clock.Now().Add(early).Before(t.last.Expires) {
		return t.last.Value, nil
	}
	token, err := t.source.Token(ctx)
	if err != nil {
		return "", err
	}
	if t.secret != nil {
		t.secret([]string{token.Value})
	}
	t.last = token
	return token.Value, nil
}

// flag is the value of --name in arguments, in both forms.
func flag(args []string, names ...string) string {
	for i, arg := range args {
		for _, name := range names {
			if value, ok := strings.CutPrefix(arg, name+"="); ok {
				return value
			}
			if arg == name && i+1 < len(args) {
				return args[i+1]
			}
		}
	}
	return ""
}

// or is the first that is not empty.
func or(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}
