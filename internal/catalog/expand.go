package catalog

import (
	"fmt"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/metrics"
	"github.com/tidegate/tidegate/internal/metrics/prometheus"
	"github.com/tidegate/tidegate/internal/spec"
)

// Expander puts the environment's values in the place of ${NAMES} and remembers which of them must be masked.
type Expander struct {
	Getenv  spec.Getenv
	Secrets []string
	err     error
}

// expandable is a text of the spec that may hold ${NAMES}.
type expandable interface {
	Expand(spec.Getenv) (string, []string, error)
}

// text expands one field. After the first error it only returns "".
func (e *Expander) text(field string, t expandable) string {
	if e.err != nil {
		return ""
	}
	value, secrets, err := t.Expand(e.Getenv)
	if err != nil {
		e.err = fmt.Errorf("%s: %w", field, err)
	}
	e.Secrets = append(e.Secrets, secrets...)
	return value
}

func prometheusProvider(p spec.Prometheus, c clock.Clock, e *Expander) (metrics.Provider, error) {
	conf := prometheus.Config{
		URL: e.text("url", p.URL), BearerToken: e.text("bearerToken", p.BearerToken), Username: e.text("username", p.Username),
		Password: e.text("password", p.Password), Tenant: e.text("tenant", p.Tenant),
		Headers: map[string]string{}, InsecureSkipVerify: p.InsecureSkipVerify,
	}
	for name, value := range p.Headers {
		conf.Headers[name] = e.text("headers."+name, value)
	}
	if e.err != nil {
		return nil, e.err
	}
	return prometheus.New(conf, c)
}
