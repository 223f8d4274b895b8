package app

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/http"
	"slices"
)

// discreet takes the kubeconfig's secrets out of the errors that the API server, or a proxy before it, answers with:
// some say back what they were sent, and errors are recorded in the cluster and told to GitHub.
type discreet struct {
	next    http.RoundTripper
	secrets []string
}

// longestError bounds what is read of an answer that is an error.
const longestError = 1 << 20

// RoundTrip implements http.RoundTripper.
func (d *discreet) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := d.next.RoundTrip(req)
	if err != nil || resp.StatusCode < http.StatusBadRequest {
		return resp, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, longestError))
	if closing := resp.Body.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return nil, err
	}
	for _, secret := range d.secrets {
		body = bytes.ReplaceAll(body, []byte(secret), []byte("***"))
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	resp.Header.Del("Content-Length")
	return resp, nil
}

// withBase64 adds how the values look in base64, and puts longer ones first: none leaves a rest of another.
func withBase64(secrets []string) []string {
	all := slices.Clone(secrets)
	for _, s := range secrets {
		all = append(all, base64.StdEncoding.EncodeToString([]byte(s)))
	}
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	return slices.Compact(all)
}
