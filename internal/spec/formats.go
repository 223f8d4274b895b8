package spec

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// format limits a text. The patterns are what the JSON Schema says too; check
// says what a pattern cannot.
type format struct {
	pattern *regexp.Regexp // must match
	noun    string         // what the text should be
	hint    string
	check   func(string) error // its errors carry a hint
}

const (
	namePattern      = `[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?`
	subdomainPattern = namePattern + `(\.` + namePattern + `)*`
)

var (
	lineText      = regexp.MustCompile(`^[^\x00-\x1f\x7f]+$`)
	nameText      = regexp.MustCompile("^" + namePattern + "$")
	subdomainText = regexp.MustCompile("^" + subdomainPattern + "$")
	headerText    = regexp.MustCompile("^[-A-Za-z0-9!#$%&'*+.^_`|~]+$")
	urlText       = regexp.MustCompile(`^https?://|\$\{`)
	anyText       = regexp.MustCompile(`\S`)
	valueText     = regexp.MustCompile(`^[^\x00]*$`) // the empty one, too
)

// formatNamed is the format of a spec tag.
func formatNamed(name string) format {
	switch name {
	case "":
		return format{pattern: lineText, noun: "one line of text", hint: "Remove line breaks and control characters."}
	case "name":
		return format{pattern: nameText, noun: "a name",
			hint: "Use lower-case letters, digits and -, at most 63 of them, with a letter or digit at both ends."}
	case "subdomain":
		return format{pattern: subdomainText, noun: "the name of an object",
			hint: "Use lower-case letters, digits, - and dots, with a letter or digit at both ends."}
	case "header":
		return format{pattern: headerText, noun: "the name of a header", hint: "Use letters, digits and -."}
	case "cookie":
		return format{pattern: headerText, noun: "the name of a cookie", hint: "Use letters, digits, - and _."}
	case "url":
		return format{pattern: urlText, noun: "a URL", hint: "Write it whole, with https:// or http://.", check: checkURL}
	case "value":
		return format{pattern: valueText, noun: "a value", hint: "Remove the character NUL."}
	case "template":
		return format{pattern: anyText, noun: "a template", hint: "Write the YAML, with what is to be filled in."}
	case "query":
		return format{pattern: anyText, noun: "a query", hint: "Write the query to ask.", check: checkQuery}
	case "condition":
		return format{pattern: anyText, noun: "a condition", hint: "Write a condition such as result < 0.01.", check: checkCondition}
	}
	panic(fmt.Sprintf("spec: unknown format %q in a tag", name))
}

// accept checks a text. Its errors carry a hint.
func (f format) accept(text string) error {
	switch {
	case text == "" && !f.pattern.MatchString(""):
		return hint("is empty", "Give it a value, or remove it.")
	case !f.pattern.MatchString(text):
		return hinted{fmt.Sprintf("%q is not %s", shorten(text), f.noun), f.hint}
	case f.check != nil:
		return f.check(text)
	}
	return nil
}

// shorten keeps a text short enough for a message.
func shorten(text string) string {
	if runes := []rune(text); len(runes) > 60 {
		return string(runes[:59]) + "…"
	}
	return text
}

// checkSubdomain checks the name of an object.
func checkSubdomain(text string) error { return formatNamed("subdomain").accept(text) }

// checkURL checks a URL with its variables unexpanded: where one stands, any
// text might.
func checkURL(text string) error {
	if strings.ContainsAny(text, " \t\r\n") {
		return hint("a URL has no spaces or line breaks", "Quote it, on one line.")
	}
	scheme, _, found := strings.Cut(text, "://")
	if found && !strings.Contains(scheme, "${") && scheme != "http" && scheme != "https" {
		return hint(fmt.Sprintf("`%s` is not a scheme that is spoken here", scheme), "Use https:// or http://.")
	}
	if strings.Contains(text, "${") {
		return nil
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		if e := (*url.Error)(nil); errors.As(err, &e) { // its text repeats the URL, which may hold a password
			err = e.Err
		}
		return hint("is not a URL: "+err.Error(), "Write it whole, such as https://example.com.")
	case u.Hostname() == "":
		return hint("a URL without a host", "Write it whole, such as https://example.com.")
	case u.User != nil:
		return hint("credentials inside a URL would be printed with it", "Use the provider's own fields for them.")
	}
	return nil
}
