package prometheus

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/metrics"
	"github.com/tidegate/tidegate/internal/metrics/httpclient"
)

// Config says where the server is and who asks. Only URL is required. A user and password in the URL are used like
// Username and Password and never shown.
type Config struct {
	URL                string // without /api/v1
	BearerToken        string
	Username, Password string
	Headers            map[string]string
	Tenant             string // sent as X-Scope-OrgID
	InsecureSkipVerify bool
}

// Provider asks one server. It is safe for concurrent use.
type Provider struct {
	name   string
	client *httpclient.Client
	api    v1.API
}

var _ metrics.Provider = (*Provider)(nil)

// New makes a provider without asking the server anything. Errors are of kind [metrics.ErrSetup].
func New(cfg Config, clk clock.Clock) (*Provider, error) {
	base, user, password, err := httpclient.BaseURL(cfg.URL)
	if err != nil {
		return nil, &metrics.Error{Kind: metrics.ErrSetup, Provider: "prometheus", Problem: err.Error()}
	}
	if cfg.Username+cfg.Password == "" {
		cfg.Username, cfg.Password = user, password
	}
	p := &Provider{name: "prometheus at " + base.Host}
	if cfg.BearerToken != "" && cfg.Username+cfg.Password != "" {
		return nil, &metrics.Error{Kind: metrics.ErrSetup, Provider: p.name,
			Problem: "both a bearer token and basic authentication are given", Hint: "keep one of them"}
	}
	p.client = httpclient.New(httpclient.Options{
		Provider: p.name, Clock: clk, Words: words,
		Secret: cfg.secret(), Plain: cfg.plain(),
		Username: cfg.Username, Password: cfg.Password,
		InsecureSkipVerify: cfg.InsecureSkipVerify,
	})
	p.api = v1.NewAPI(endpoint{client: p.client, base: base})
	return p, nil
}

func (cfg Config) secret() http.Header {
	h := http.Header{}
	for name, value := range cfg.Headers {
		h.Set(name, value)
	}
	if cfg.BearerToken != "" {
		h.Set("Authorization", "Bearer "+cfg.BearerToken)
	}
	return h
}

func (cfg Config) plain() http.Header {
	h := http.Header{"Accept": {"application/json"}}
	if cfg.Tenant != "" {
		h.Set("X-Scope-OrgID", cfg.Tenant)
	}
	return h
}

// Query asks an instant query. See [metrics.Provider].
func (p *Provider) Query(ctx context.Context, query string) (metrics.Result, error) {
	value, warnings, err := p.api.Query(ctx, query, time.Time{})
	if err != nil {
		return metrics.Result{}, p.explain(query, err)
	}
	result, problem := convert(value)
	if problem != nil {
		problem.Kind, problem.Provider, problem.Query = metrics.ErrRefused, p.name, query
		return metrics.Result{}, problem
	}
	for _, w := range warnings {
		result.Warnings = append(result.Warnings, p.client.Said([]byte(w)))
	}
	return result, nil
}

// explain gives an error of the API client the words of package metrics.
func (p *Provider) explain(query string, err error) error {
	e := &metrics.Error{Kind: metrics.ErrUnavailable, Provider: p.name}
	if already := (*metrics.Error)(nil); errors.As(err, &already) {
		if errors.Is(already, metrics.ErrRefused) {
			already.Query = query
		}
		return already
	}
	said := (*v1.Error)(nil)
	if !errors.As(err, &said) { // the outer JSON was read, what is inside was not
		said = &v1.Error{Type: v1.ErrBadResponse, Msg: err.Error()}
	}
	e.Said = p.client.Said([]byte(said.Msg))
	switch said.Type {
	case v1.ErrBadData, v1.ErrExec:
		e.Kind, e.Query = metrics.ErrRefused, query
		e.Problem = "the server refused it (" + string(said.Type) + ")"
	case v1.ErrClient:
		e.Kind = metrics.ErrSetup
		e.Problem, e.Hint = "there is no Prometheus API at this address", "check url: it stands before /api/v1 (for Mimir it ends in /prometheus)"
		if said.Detail != "" {
			e.Said += ", " + p.client.Said([]byte(said.Detail))
		}
	case v1.ErrBadResponse:
		e.Problem, e.Hint = "the answer is not one of Prometheus's API", "check url, and what stands in front of the server"
	default:
		e.Problem = "the server gave up (" + string(said.Type) + ")"
	}
	return e
}

// endpoint is the API client's way to the server.
type endpoint struct {
	client *httpclient.Client
	base   *url.URL
}

var _ api.Client = endpoint{}

// URL is the address of an endpoint such as /api/v1/query.
func (e endpoint) URL(ep string, args map[string]string) *url.URL {
	for name, value := range args {
		ep = strings.ReplaceAll(ep, ":"+name, value)
	}
	u := *e.base
	u.Path = path.Join(u.Path, ep)
	return &u
}

// Do sends a request.
func (e endpoint) Do(ctx context.Context, req *http.Request) (*http.Response, []byte, error) {
	return e.client.Do(ctx, req)
}

// words finds the message in an error body of the API.
func words(body []byte) string {
	var said struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(body, &said) == nil && said.Error != "" {
		return said.Error
	}
	return string(body)
}
