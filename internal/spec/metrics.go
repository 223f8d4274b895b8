package spec

// Provider is where numbers come from: exactly one block.
type Provider struct {
	Prometheus *Prometheus `json:"prometheus,omitempty" spec:"oneof" doc:"Prometheus, or what speaks its HTTP API: Thanos, Mimir, VictoriaMetrics"`
}

// Kind is the name of the provider's block, such as prometheus.
func (p Provider) Kind() string { return kindOf(p) }

// finish reports credentials that exclude each other.
func (p *Prometheus) finish(s scope) {
	switch {
	case p.BearerToken != "" && (p.Username != "" || p.Password != ""):
		s.fail("bearerToken", "both a token and basic authentication are set", "Keep `bearerToken`, or `username` and `password`.")
	case p.Username != "" && p.Password == "" && s.ok("password"):
		s.fail("username", "`username` without `password`", "Add `password`.")
	case p.Password != "" && p.Username == "" && s.ok("username"):
		s.fail("password", "`password` without `username`", "Add `username`.")
	}
}

// Prometheus is a server with Prometheus's HTTP API.
type Prometheus struct {
	URL                Expandable            `json:"url" spec:"required,format=url" doc:"base URL, without /api/v1"`
	BearerToken        Credential            `json:"bearerToken,omitempty" doc:"token of the Authorization header"`
	Username           Expandable            `json:"username,omitempty" doc:"user of basic authentication"`
	Password           Credential            `json:"password,omitempty" doc:"password of basic authentication"`
	Headers            map[string]Expandable `json:"headers,omitempty" spec:"format=header" doc:"headers of every request"`
	Tenant             Expandable            `json:"tenant,omitempty" doc:"tenant, sent as X-Scope-OrgID"`
	InsecureSkipVerify bool                  `json:"insecureSkipVerify,omitempty" doc:"do not verify the server's certificate"`
}
