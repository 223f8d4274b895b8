package app

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

// answers is a transport that gives one answer.
type answers struct {
	status int
	body   string
	err    error
}

func (a answers) RoundTrip(*http.Request) (*http.Response, error) {
	if a.err != nil {
		return nil, a.err
	}
	return &http.Response{StatusCode: a.status, Header: http.Header{"Content-Length": {"99"}}, Body: io.NopCloser(strings.NewReader(a.body)), ContentLength: 99}, nil
}

func TestDiscreet(t *testing.T) {
	secrets := withBase64([]string{"hunter22", "hunter22-and-more", "x1y2"})
	for _, tt := range []struct {
		name, body string
		status     int
		want       string
	}{
		{"an error", "who is hunter22?", 401, "who is ***?"},
		{"a secret in another", "hunter22-and-more, hunter22", 403, "***, ***"},
		{"base64", "Basic " + base64.StdEncoding.EncodeToString([]byte("hunter22")), 500, "Basic ***"},
		{"no secret", "who are you?", 404, "who are you?"},
		{"no error", "hunter22", 200, "hunter22"}, // an object: it is not for us to change
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp, err := (&discreet{next: answers{status: tt.status, body: tt.body}, secrets: secrets}).RoundTrip(nil)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			if err != nil || string(body) != tt.want || tt.status >= 400 && (resp.ContentLength != int64(len(body)) || resp.Header.Get("Content-Length") != "") {
				t.Errorf("got %q of length %d, %v; want %q", body, resp.ContentLength, err, tt.want)
			}
		})
	}
	gone := errors.New("connection refused")
	if _, err := (&discreet{next: answers{err: gone}, secrets: secrets}).RoundTrip(nil); !errors.Is(err, gone) {
		t.Errorf("error %v", err)
	}
}
