package cli

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// masked writes parts, one write each, through a mask that knows secrets.
func masked(secrets []string, parts ...string) string {
	var out bytes.Buffer
	m := newMask()
	w := m.writer(&out)
	m.add(secrets)
	for _, p := range parts {
		fmt.Fprint(w, p)
	}
	m.flush()
	return out.String()
}

func TestMask(t *testing.T) {
	for _, tc := range []struct {
		name    string
		secrets []string
		parts   []string
		want    string
	}{
		{"none", nil, []string{"hello", " world\n"}, "hello world\n"},
		{"plain", []string{"hunter22"}, []string{"token hunter22, hunter22\n"}, "token ***, ***\n"},
		{"split over writes", []string{"hunter22"}, []string{"token hun", "ter", "22\nnext\n"}, "token ***\nnext\n"},
		{"byte by byte", []string{"hunter22"}, strings.Split("a hunter22 b\n", ""), "a *** b\n"},
		{"no newline at the end", []string{"hunter22"}, []string{"token hun", "ter22"}, "token ***"},
		{"several lines", []string{"first line\nsecond line\r\n\n"}, []string{"first line\nx second line y\n"}, "***\nx *** y\n"},
		{"one begins another", []string{"hunter", "hunter22"}, []string{"hunter22 hunter\n"}, "*** ***\n"},
		{"one is in another", []string{"nter", "hunter22"}, []string{"hunter22 enter\n"}, "*** e***\n"},
		{"with spaces around", []string{"  hunter22\t"}, []string{"hunter22\n"}, "***\n"},
		{"told twice", []string{"hunter22", "hunter22"}, []string{"hunter22\n"}, "***\n"},
		{"empty ones", []string{"", "\n", " "}, []string{"a b\n"}, "a b\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := masked(tc.secrets, tc.parts...); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// TestMaskEscaped: a secret does not come out in the writing of JSON, of a URL, of a quoted string or of base64.
func TestMaskEscaped(t *testing.T) {
	const secret = `p@ss"w\rd<&>/? é`
	var asJSON bytes.Buffer
	e := json.NewEncoder(&asJSON)
	e.SetEscapeHTML(false)
	if err := e.Encode(map[string]string{"error": "refused: " + secret}); err != nil {
		t.Fatal(err)
	}
	html, _ := json.Marshal(secret)
	withUser := url.URL{Scheme: "https", Host: "example.com", User: url.UserPassword("me", secret)}
	for _, text := range []string{asJSON.String(), string(html), fmt.Sprintf("%q", secret), withUser.String(),
		"Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(secret)), base64.URLEncoding.EncodeToString([]byte(secret)),
		"https://example.com/?token=" + url.QueryEscape(secret), "https://example.com/" + url.PathEscape(secret)} {
		got := masked([]string{secret}, text+"\n")
		if !strings.Contains(got, "***") || strings.Contains(got, "ss") && strings.Contains(got, "rd") || strings.Contains(got, "cEBzcyJ3") {
			t.Errorf("%s comes out as %s", text, got)
		}
	}
}

// TestMaskLate: what is told while a line is on its way masks that line, too.
func TestMaskLate(t *testing.T) {
	var out, err bytes.Buffer
	m := newMask()
	stdout, stderr := m.writer(&out), m.writer(&err)
	fmt.Fprint(stdout, "before\n")
	m.add([]string{"hunter22"})
	fmt.Fprint(stdout, "hunter22\n")
	fmt.Fprint(stderr, "hunter22")
	m.flush()
	if out.String() != "before\n***\n" || err.String() != "***" {
		t.Errorf("got %q and %q", out.String(), err.String())
	}
}
