package httpclient

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/metrics"
)

// Options describe a client. Provider and Clock are required.
type Options struct {
	Provider string // how errors name the provider
	Clock    clock.Clock
	// Secret and Plain are the headers of every request. Secret values are kept out of errors.
	Secret, Plain      http.Header
	Username, Password string // basic authentication, unless Secret has an Authorization
	InsecureSkipVerify bool
	// Words finds the human part of an error body. The default takes the body as it is.
	Words func(body []byte) string
	// MaxBody bounds an answer, in bytes after decompression; default 10 MiB.
	MaxBody int64
}

const (
	defaultMaxBody = 10 << 20
	attempts       = 5
	firstWait      = 250 * time.Millisecond
	longestWait    = 30 * time.Second
	maxSaid        = 300
)

// Client is safe for concurrent use.
type Client struct {
	opts   Options
	header http.Header
	http   *http.Client
	scrub  *strings.Replacer
}

// New makes a client with a connection pool of its own.
func New(o Options) *Client {
	if o.MaxBody == 0 {
		o.MaxBody = defaultMaxBody
	}
	if o.Words == nil {
		o.Words = func(body []byte) string { return string(body) }
	}
	c := &Client{opts: o, header: http.Header{"User-Agent": {"tidegate"}}}
	maps.Copy(c.header, o.Plain)
	secret := http.Header{}
	maps.Copy(secret, o.Secret)
	if o.Username+o.Password != "" && secret.Get("Authorization") == "" {
		pair := base64.StdEncoding.EncodeToString([]byte(o.Username + ":" + o.Password))
		secret.Set("Authorization", "Basic "+pair)
	}
	maps.Copy(c.header, secret)
	c.scrub = scrubber(secret, o.Password)
	c.http = &http.Client{Transport: transport(o.InsecureSkipVerify), CheckRedirect: checkRedirect}
	return c
}

// Do sends req, again if need be, and returns the last response with its body read and closed. req's body must be
// repeatable (GetBody), as those of http.NewRequest are.
func (c *Client) Do(ctx context.Context, req *http.Request) (*http.Response, []byte, error) {
	if err := checkTarget(req.URL); err != nil {
		return nil, nil, c.failure(ctx, err, 1)
	}
	wait := firstWait
	for n := 1; ; n++ {
		resp, body, err := c.once(ctx, req)
		if final(ctx, resp, err) {
			return c.conclude(ctx, resp, body, err, n)
		}
		pause := wait
		if after, ok := retryAfter(resp, c.opts.Clock.Now()); ok {
			pause = after
		}
		if n == attempts || pause > longestWait || c.outlasts(ctx, pause) {
			return nil, nil, c.exhausted(ctx, resp, body, err, n, pause)
		}
		if err := clock.Sleep(ctx, c.opts.Clock, pause); err != nil {
			return nil, nil, c.failure(ctx, err, n)
		}
		wait *= 2
	}
}

// once sends the request and reads the answer.
func (c *Client) once(ctx context.Context, req *http.Request) (*http.Response, []byte, error) {
	sent := req.Clone(ctx)
	if req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return nil, nil, err
		}
		sent.Body = body
	}
	sent.URL.User = nil
	for name, values := range c.header {
		sent.Header[name] = values
	}
	if host := c.header.Get("Host"); host != "" {
		sent.Host = host
	}
	resp, err := c.http.Do(sent)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, c.opts.MaxBody+1))
	if err == nil && int64(len(body)) > c.opts.MaxBody {
		return nil, nil, errTooLarge
	}
	return resp, body, err
}

// final tells whether asking again is of no use.
func final(ctx context.Context, resp *http.Response, err error) bool {
	switch {
	case ctx.Err() != nil, errors.Is(err, errTooLarge), errors.Is(err, errAddress), errors.Is(err, errRedirect), certificate(err):
		return true
	case err != nil:
		return false
	}
	code := resp.StatusCode
	return code != http.StatusTooManyRequests && (code < 500 || code == http.StatusNotImplemented)
}

// outlasts tells whether the context's deadline is nearer than d.
func (c *Client) outlasts(ctx context.Context, d time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return ok && c.opts.Clock.Now().Add(d).After(deadline)
}

func (c *Client) conclude(ctx context.Context, resp *http.Response, body []byte, err error, n int) (*http.Response, []byte, error) {
	if err != nil {
		return nil, nil, c.failure(ctx, err, n)
	}
	if resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden {
		return nil, nil, &metrics.Error{
			Kind: metrics.ErrAuth, Provider: c.opts.Provider, Said: c.Said(body),
			Problem: fmt.Sprintf("the server did not accept the credentials (%s)", status(resp)),
			Hint:    "check the credentials of this provider, and that they may query",
		}
	}
	return resp, body, nil
}

// Said is the human part of a body, short and without secrets.
func (c *Client) Said(body []byte) string {
	return metrics.Shorten(c.Scrub(c.opts.Words(body)), maxSaid)
}

// Scrub takes this client's secrets out of a text.
func (c *Client) Scrub(text string) string { return c.scrub.Replace(text) }

func status(resp *http.Response) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", resp.StatusCode, http.StatusText(resp.StatusCode)))
}

// BaseURL parses the address of a server. A user and password in it are given back apart, for [Options].
func BaseURL(text string) (base *url.URL, username, password string, err error) {
	u, err := url.Parse(text)
	switch {
	case err != nil: // the error quotes the text, which may hold a password
		return nil, "", "", errors.New("the url cannot be read; write one such as https://prometheus.example.com")
	case u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return nil, "", "", errors.New("the url must begin with http:// or https:// and name a host")
	}
	if u.User != nil {
		username = u.User.Username()
		password, _ = u.User.Password()
		u.User = nil
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), ""
	return u, username, password, nil
}
