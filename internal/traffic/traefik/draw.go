package traefik

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"time"
	"unicode"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
)

// drawName is the TraefikService of ours that assigns cohorts.
func drawName(t plan.Traffic) string { return t.Candidate + "-draw" }

func cohortName(t plan.Traffic, i int) string { return fmt.Sprintf("%s-cohort-%d", t.Candidate, i) }

// drawFor are the draw and its cohorts, each of which is the user's TraefikService.
func drawFor(service plan.Object, t plan.Traffic, c plan.Cohorts) (draw plan.Object, cohorts []plan.Object) {
	unit := int64(0)
	for _, odds := range c.Odds {
		unit = gcd(int64(odds), unit)
	}
	var entries []any
	for i, odds := range c.Odds {
		name := cohortName(t, i+1)
		entries = append(entries, map[string]any{"kind": kindService, "name": name, "weight": int64(odds) / max(unit, 1)})
		user := map[string]any{"kind": kindService, "name": plan.RefOf(service).Name}
		cohorts = append(cohorts, made(service, kindService, name, weighted([]any{user})))
	}
	return made(service, kindService, drawName(t), weighted(entries)), cohorts
}

func weighted(entries []any) map[string]any {
	return map[string]any{"weighted": map[string]any{"services": entries}}
}

// splitDraw gives the draw the cookie of this rollout. Traefik adds it to the answer, beside those of the app.
func splitDraw(o *unstructured.Unstructured, s plan.Split) (bool, error) {
	if s.Cohorts == nil {
		return false, nil
	}
	was := plan.Digest(o.Object)
	if err := unstructured.SetNestedMap(o.Object, cookieOf(*s.Cohorts), "spec", "weighted", "sticky", "cookie"); err != nil {
		return false, fmt.Errorf("%s: %w", plan.RefOf(o.Object), err)
	}
	return plan.Digest(o.Object) != was, nil
}

func cookieOf(c plan.Cohorts) map[string]any {
	cookie := map[string]any{"name": cookieName(c), "httpOnly": true, "maxAge": int64(time.Duration(c.Cookie.MaxAge).Seconds())}
	if c.Cookie.Path != "" {
		cookie["path"] = c.Cookie.Path
	}
	if c.Cookie.Domain != "" {
		cookie["domain"] = c.Cookie.Domain
	}
	if c.Cookie.SameSite != "" {
		cookie["sameSite"] = strings.ToLower(c.Cookie.SameSite)
	}
	if c.Cookie.Secure {
		cookie["secure"] = true
	}
	return cookie
}

// cookieName holds the draw, for Traefik chooses the value: cookies of another rollout are not known, and their users are drawn
// again. Traefik writes an underscore for what a name may not have, and so do we, for less.
func cookieName(c plan.Cohorts) string {
	return strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '.') {
			return r
		}
		return '_'
	}, c.Cookie.Name+"-"+c.Draw)
}

// cookieValue is an expression for the value by which Traefik knows a service among those of a sticky cookie: the start of the
// SHA-256 of its name, in older versions the FNV-1.
func cookieValue(namespace, name string) string {
	id := strings.Join(strings.FieldsFunc(namespace+"-"+name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) }), "-")
	sum := sha256.Sum256([]byte(id))
	older := fnv.New64()
	_, _ = older.Write([]byte(id)) // a hash takes everything
	return hex.EncodeToString(sum[:])[:16] + "|" + strconv.FormatUint(older.Sum64(), 16)
}
