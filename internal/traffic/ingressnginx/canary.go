package ingressnginx

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"

	"github.com/tidegate/tidegate/internal/plan"
)

// The annotations by which ingress-nginx divides requests.
const (
	prefix     = "nginx.ingress.kubernetes.io/"
	keyCanary  = prefix + "canary"
	keyWeight  = prefix + "canary-weight"
	keyTotal   = prefix + "canary-weight-total"
	keyHeader  = prefix + "canary-by-header"
	keyValue   = prefix + "canary-by-header-value"
	keyPattern = prefix + "canary-by-header-pattern"
	keyCookie  = prefix + "canary-by-cookie"
)

const (
	on     = "true"
	always = "always" // the only value of a cookie that leads to the canary
)

func canaryKeys() []string {
	return []string{keyCanary, keyWeight, keyTotal, keyHeader, keyValue, keyPattern, keyCookie}
}

// leastTotal is the sum of weights that controllers take at least: a smaller canary-weight-total does not count.
const leastTotal = 100

// canary are the canary annotations of a split, all of them. They are written at once, so that no request meets a mixture.
func canary(s plan.Split) (map[string]string, error) {
	wanted := map[string]string{keyCanary: on}
	if s.Weight%plan.OnePercent == 0 {
		wanted[keyWeight] = strconv.Itoa(int(s.Weight / plan.OnePercent))
	} else {
		wanted[keyWeight], wanted[keyTotal] = strconv.Itoa(int(s.Weight)), strconv.Itoa(int(plan.All))
	}
	if len(s.Ring) == 0 {
		return wanted, nil
	}
	key, value, err := ring(s.Ring)
	if err != nil || s.Weight == plan.All {
		// Everything goes to the candidate then; a cookie with the value never would keep its user with the base.
		return wanted, err
	}
	wanted[key] = value
	if key == keyHeader {
		wanted[keyValue] = s.Ring[0].Value
	}
	return wanted, nil
}

// plainText is what a controller takes as name and value of a header; it drops an annotation with anything else in it.
var plainText = regexp.MustCompile(`^[-._~a-zA-Z0-9/:]+$`)

// ring is the annotation that finds requests of a ring.
func ring(matches []plan.Match) (key, value string, err error) {
	if len(matches) > 1 {
		return "", "", errSeveral
	}
	m := matches[0]
	switch {
	case m.Cookie != "" && m.Value != always:
		return "", "", fmt.Errorf("a cookie leads to the canary by the value %s only; write cookie: {%s: %s} in spec.strategy.canary.internal, or use a header", always, m.Cookie, always)
	case m.Cookie != "" && !plainText.MatchString(m.Cookie):
		return "", "", errors.New("the controller takes names of cookies with letters, digits and -._~/: only; choose another cookie")
	case m.Cookie != "":
		return keyCookie, m.Cookie, nil
	case !plainText.MatchString(m.Header) || !plainText.MatchString(m.Value):
		return "", "", errors.New("the controller takes names and values of headers with letters, digits and -._~/: only, and drops the annotation otherwise; choose another value")
	}
	return keyHeader, m.Header, nil
}

// weightIn is the weight in the annotations, and of how much, as controllers read them.
func weightIn(annotations map[string]string) (weight, total int) {
	weight, _ = strconv.Atoi(annotations[keyWeight]) // what is no number counts as none
	total, _ = strconv.Atoi(annotations[keyTotal])
	total = max(total, leastTotal)
	return min(max(weight, 0), total), total
}
