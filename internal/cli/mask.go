package cli

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// mask keeps secrets out of everything that is printed: a value that was told to it appears as ***. Secrets of several
// lines are masked line by line. Output passes in whole lines, so that a secret cut in two by a write is still found.
type mask struct {
	mu      sync.Mutex
	secrets []string
	writers []*maskedWriter
	also    func(...string) // told every value, too: the runner masks what later steps print
}

func newMask() *mask { return &mask{} }

// add registers values. Longer ones are replaced first, so that a secret inside another leaves no rest.
func (m *mask) add(values []string) {
	if m.also != nil {
		m.also(values...)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, value := range values {
		for line := range strings.Lines(value) {
			for _, form := range writings(strings.TrimSpace(line)) {
				if form != "" && !slices.Contains(m.secrets, form) {
					m.secrets = append(m.secrets, form)
				}
			}
		}
	}
	slices.SortFunc(m.secrets, func(a, b string) int { return len(b) - len(a) })
}

// writings are the forms in which output may hold a secret: as it is, in a JSON or quoted string, in a URL, in base64.
func writings(secret string) []string {
	var plain bytes.Buffer
	e := json.NewEncoder(&plain)
	e.SetEscapeHTML(false)
	_ = e.Encode(secret) // a string always can be
	html, _ := json.Marshal(secret)
	unquoted := func(s string) string { s = strings.TrimSpace(s); return s[1 : len(s)-1] }
	user := url.UserPassword("", secret).String()
	return []string{secret, unquoted(plain.String()), unquoted(string(html)), unquoted(strconv.Quote(secret)),
		url.QueryEscape(secret), url.PathEscape(secret), strings.TrimPrefix(user, ":"),
		base64.RawStdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret))}
}

func (m *mask) apply(text []byte) []byte {
	for _, s := range m.secrets {
		text = bytes.ReplaceAll(text, []byte(s), []byte("***"))
	}
	return text
}

// text is a text without secrets, for what is written to files.
func (m *mask) text(text string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return string(m.apply([]byte(text)))
}

func (m *mask) writer(w io.Writer) io.Writer {
	mw := &maskedWriter{mask: m, to: w}
	m.writers = append(m.writers, mw)
	return mw
}

// flush writes what is left of unfinished lines.
func (m *mask) flush() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, w := range m.writers {
		_, _ = w.to.Write(m.apply(w.rest)) // nobody is left to tell
		w.rest = nil
	}
}

type maskedWriter struct {
	mask *mask
	to   io.Writer
	rest []byte
}

// Write passes whole lines on. Without secrets everything passes at once: a live view needs that.
func (w *maskedWriter) Write(p []byte) (int, error) {
	w.mask.mu.Lock()
	defer w.mask.mu.Unlock()
	w.rest = append(w.rest, p...)
	end := bytes.LastIndexByte(w.rest, '\n') + 1
	if len(w.mask.secrets) == 0 {
		end = len(w.rest)
	}
	if end == 0 {
		return len(p), nil
	}
	_, err := w.to.Write(w.mask.apply(w.rest[:end]))
	w.rest = append([]byte(nil), w.rest[end:]...)
	return len(p), err
}
