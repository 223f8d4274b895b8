package metrics

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// The kinds of an [Error], for errors.Is.
var (
	// ErrUnavailable: the provider is down, overloaded, too slow, or answers with something that cannot be read. It
	// may go away by itself.
	ErrUnavailable = errors.New("unavailable")
	// ErrRefused: the query is wrong, or its answer is of no use. Asking again does not help.
	ErrRefused = errors.New("query refused")
	// ErrAuth: the credentials are missing, wrong, or not allowed to ask.
	ErrAuth = errors.New("credentials refused")
	// ErrSetup: the provider's address is wrong or one that Tidegate does not call.
	ErrSetup = errors.New("address refused")
)

// Error is why a provider gave no answer. It holds no secrets.
type Error struct {
	Kind     error  // ErrUnavailable, ErrRefused, ErrAuth or ErrSetup
	Provider string // kind and host, such as "prometheus at prom.example.com"
	Query    string // for ErrRefused
	Problem  string // what happened
	Said     string // the server's own words, shortened
	Hint     string // what to do next
	Err      error  // cause, if it can be told apart (a context's end)
}

// Error puts the parts into one line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Provider)
	b.WriteString(": ")
	if e.Query != "" {
		fmt.Fprintf(&b, "query %q: ", Shorten(e.Query, maxQuery))
	}
	b.WriteString(e.Problem)
	if e.Said != "" {
		b.WriteString(": " + e.Said)
	}
	if e.Hint != "" {
		b.WriteString("; " + e.Hint)
	}
	return b.String()
}

// Unwrap gives the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

const maxQuery = 200

// Shorten makes a foreign text fit for one line of a log: control characters become spaces (a log may be read by a
// program that obeys lines), runs of spaces become one, and what is longer than limit characters is cut.
func Shorten(text string, limit int) string {
	printable := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
	words := []rune(strings.Join(strings.Fields(printable), " "))
	if len(words) > limit {
		return string(words[:limit]) + "…"
	}
	return string(words)
}
