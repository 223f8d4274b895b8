package spec

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Sticky keeps each user on one version until the step that moves them. Its short form, true, is a cookie with every default.
type Sticky struct {
	_ struct{} `spec:"short=on"`

	On     bool          `json:"on,omitempty" spec:"oneof" doc:"true: by a cookie with the defaults; false: not at all"`
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

var (
	_ finisher = (*Sticky)(nil)
	_ finisher = (*StickyCookie)(nil)
)

// sameSiteNone is the SameSite of a cookie that other sites' pages send, too.
const sameSiteNone = "None"

// set tells whether users are kept at all.
func (k *Sticky) set() bool { return k != nil && (k.On || k.Cookie != nil || k.Header != "") }

// finish turns the short form into the cookie that it stands for.
func (k *Sticky) finish(s scope) {
	if !k.On || k.Cookie != nil || k.Header != "" {
		return
	}
	k.On, k.Cookie = false, &StickyCookie{}
	cookie := reflect.ValueOf(k.Cookie).Elem()
	s.d.defaults(shapeOf(cookie.Type()), nil, cookie)
}

// NameFor is the cookie's name for a service.
func (k StickyCookie) NameFor(service string) string {
	if k.Name != "" {
		return k.Name
	}
	return "tidegate-" + service
}

// finish checks what a browser would not take: then no user would ever be known.
func (k *StickyCookie) finish(s scope) {
	host, secure := strings.HasPrefix(k.Name, "__Host-"), strings.HasPrefix(k.Name, "__Secure-")
	switch {
	case !s.ok(""):
	case !strings.HasPrefix(k.Path, "/") || strings.ContainsAny(k.Path, ";, \t"):
		s.fail("path", fmt.Sprintf("%q is not the path of a cookie", shorten(k.Path)), "Begin with /, and use no spaces, commas or semicolons.")
	case k.SameSite == sameSiteNone && !k.Secure:
		s.fail("sameSite", "browsers refuse a cookie with SameSite=None that is not Secure: no user would be known", "Add secure: true, or use Lax.")
	case (host || secure) && !k.Secure:
		s.fail("name", "browsers refuse a cookie of this name that is not Secure: no user would be known", "Add secure: true, or choose another name.")
	case host && (k.Domain != "" || k.Path != "/"):
		s.fail("name", "browsers refuse a cookie whose name begins with __Host- if it has a Domain, or a Path but /", "Leave domain and path out, or choose another name.")
	case k.MaxAge < Duration(time.Second):
		s.fail("maxAge", "a Max-Age is in whole seconds", "Write a time longer than the rollout.")
	}
}

// finishSticky compares how users are kept with how the canary goes.
func (c *Canary) finishSticky(s scope) {
	if !c.Sticky.set() {
		c.Sticky = nil // off, as when it is left out
		return
	}
	if c.Settle == SettleInPlace && s.ok("settle") {
		s.fail("settle", "inPlace rolls the base under its users, and those whose step has not come would meet both versions by turns",
			"Remove `settle: inPlace`, or `sticky`.")
	}
	if cookie := c.Sticky.Cookie; cookie != nil && s.ok("sticky") && s.ok("steps") {
		if total := c.divided(); cookie.MaxAge <= total {
			s.fail("sticky.cookie.maxAge", fmt.Sprintf("the steps in which users are divided may last %s together, and a cookie is gone after %s: "+
				"its user would be drawn again, and might see the old version once more", total, cookie.MaxAge),
				fmt.Sprintf("Make it longer than %s, or shorten holds and the timeouts of approvals.", total))
		}
	}
}

// divided is how long the users may be divided between the versions: the holds of the shares of less than everything, and
// the approvals from the first of them on.
func (c *Canary) divided() (total Duration) {
	begun := false
	for _, step := range c.Steps {
		switch {
		case step.Weight == All:
			return total
		case step.Approve == nil:
			begun = true
			total += step.Hold
		case begun:
			total += step.Approve.Timeout
		}
	}
	return total
}
