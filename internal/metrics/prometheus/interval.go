package prometheus

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"
)

// ScrapeInterval is how often the server scrapes by default: global.scrape_interval of its configuration
// (/api/v1/status/config). Servers that only speak the query API answer with an error.
func (p *Provider) ScrapeInterval(ctx context.Context) (time.Duration, error) {
	answer, err := p.api.Config(ctx)
	if err != nil {
		return 0, fmt.Errorf("%s: read its configuration: %w", p.name, err)
	}
	var config struct {
		Global struct {
			ScrapeInterval string `yaml:"scrape_interval"`
		} `yaml:"global"`
	}
	if err := yaml.Unmarshal([]byte(answer.YAML), &config); err != nil {
		return 0, fmt.Errorf("%s: its configuration is not YAML: %w", p.name, err)
	}
	d, err := model.ParseDuration(config.Global.ScrapeInterval)
	if err != nil {
		return 0, fmt.Errorf("%s: its scrape_interval: %w", p.name, err)
	}
	return time.Duration(d), nil
}
