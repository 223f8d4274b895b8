// Package api is the little that the launcher asks of a Kubernetes API server: apply manifests, read, watch. It spares the
// module client-go.
package api

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Client talks to one server with one token.
type Client struct {
	server, token string
	http          *http.Client
}

// New returns a client that trusts the CA, in PEM, only.
func New(server, token string, ca []byte) (*Client, error) {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return nil, errors.New("the CA's file holds no certificate")
	}
	return &Client{server: server, token: token, http: &http.Client{Transport: &http.Transport{
		TLSClientConfig:     &tls.Config{RootCAs: roots},
		MaxIdleConnsPerHost: 32,
	}}}, nil
}

// Stream is the body of a successful answer; the caller closes it.
func (c *Client) Stream(ctx context.Context, path string) (io.ReadCloser, error) {
	return c.do(ctx, http.MethodGet, path, "", nil)
}

// Read is a whole answer.
func (c *Client) Read(ctx context.Context, path string) ([]byte, error) {
	body, err := c.Stream(ctx, path)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(body)
}

// Get decodes an object.
func (c *Client) Get(ctx context.Context, path string, into any) error {
	data, err := c.Read(ctx, path)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

// Apply applies one manifest on the server.
func (c *Client) Apply(ctx context.Context, m Manifest) error {
	path, err := m.path()
	if err != nil {
		return err
	}
	body, err := c.do(ctx, http.MethodPatch, path+"?fieldManager=tidegate-cluster&force=true", "application/apply-patch+yaml", m.YAML)
	if err != nil {
		return fmt.Errorf("apply %s %s: %w", m.Kind, m.Name, err)
	}
	return body.Close()
}

func (c *Client) do(ctx context.Context, method, path, contentType string, content []byte) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.server+path, bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Accept", "application/json, */*")
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= 300 {
		defer resp.Body.Close()
		why, _ := io.ReadAll(io.LimitReader(resp.Body, 2000)) // the status says enough without it
		return nil, fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, strings.TrimSpace(string(why)))
	}
	return resp.Body, nil
}
