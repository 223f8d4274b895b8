package spec

import "time"

// Sticky keeps each user on one version until the step that moves them. Its short form, true, has every default.
type Sticky struct {
	_ struct{} `spec:"short=on"`

	On     bool          `json:"on,omitempty" spec:"oneof" doc:"true: by a cookie with the defaults"`
	Cookie *StickyCookie `json:"cookie,omitempty" spec:"oneof" doc:"the cookie by which a user is known"`
	Header string        `json:"header,omitempty" spec:"oneof,format=header" doc:"the header by whose hash a caller is known, where the router can hash"`
}

// StickyCookie is how the cookie of a user's cohort is set.
type StickyCookie struct {
	Name     string   `json:"name,omitempty" spec:"format=cookie" doc:"its name; tidegate-NAME of the service when left out"`
	Path     string   `json:"path" spec:"default=/" doc:"its Path"`
	Domain   string   `json:"domain,omitempty" spec:"format=subdomain" doc:"its Domain; the host that was asked when left out"`
	MaxAge   Duration `json:"maxAge" spec:"default=7d,positive" doc:"its Max-Age: longer than the rollout, or users are drawn again"`
	SameSite string   `json:"sameSite" spec:"default=Lax,enum=Lax|Strict|None" doc:"its SameSite"`
	Secure   bool     `json:"secure,omitempty" doc:"sent over TLS only"`
}

// stickyAge is how long a cookie of a cohort lives where the spec does not say.
const stickyAge = 7 * 24 * time.Hour
