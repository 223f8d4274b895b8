package httpclient

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/tidegate/tidegate/internal/metrics"
)

var errTooLarge = errors.New("the answer is too large")

// exhausted is the error when there will be no further attempt.
func (c *Client) exhausted(ctx context.Context, resp *http.Response, body []byte, err error, n int, pause time.Duration) error {
	if err != nil {
		return c.failure(ctx, err, n)
	}
	e := &metrics.Error{Kind: metrics.ErrUnavailable, Provider: c.opts.Provider, Said: c.Said(body)}
	if resp.StatusCode == http.StatusTooManyRequests {
		e.Problem = fmt.Sprintf("the server limits the rate of requests (%s%s)", status(resp), times(n))
		e.Hint = "ask less often (every), or raise the limit"
	} else {
		e.Problem = fmt.Sprintf("the server is in trouble (%s%s)", status(resp), times(n))
	}
	switch {
	case n == attempts:
	case resp.Header.Get("Retry-After") != "":
		e.Problem += fmt.Sprintf("; it asks for a pause of %s, which is longer than this look may take", pause.Round(time.Millisecond))
	default:
		e.Problem += "; there is no time to ask again within this look"
	}
	return e
}

// failure is the error when there was no response to read.
func (c *Client) failure(ctx context.Context, err error, n int) error {
	e := &metrics.Error{Kind: metrics.ErrUnavailable, Provider: c.opts.Provider}
	cause := context.Cause(ctx)
	switch {
	case cause != nil:
		e.Problem, e.Err = "the look ended before an answer came: "+cause.Error(), cause
		if errors.Is(cause, context.DeadlineExceeded) {
			e.Problem = "no answer in time"
		}
	case errors.Is(err, errTooLarge):
		e.Kind = metrics.ErrRefused
		e.Problem = fmt.Sprintf("the answer is larger than %d KiB", c.opts.MaxBody>>10)
		e.Hint = "aggregate in the query, so that it answers with few series"
	case errors.Is(err, errAddress), errors.Is(err, errRedirect):
		e.Kind = metrics.ErrSetup
		e.Problem = metrics.Shorten(c.Scrub(bare(err).Error()), maxSaid)
	case certificate(err):
		e.Kind = metrics.ErrSetup
		e.Problem = "the server's certificate is not trusted"
		e.Said = metrics.Shorten(c.Scrub(bare(err).Error()), maxSaid)
	default:
		e.Problem = "no connection" + times(n)
		e.Said = metrics.Shorten(c.Scrub(bare(err).Error()), maxSaid)
	}
	return e
}

func times(n int) string {
	if n == 1 {
		return ""
	}
	return fmt.Sprintf(", asked %d times", n)
}

func certificate(err error) bool {
	var cert *tls.CertificateVerificationError
	return errors.As(err, &cert)
}

// bare drops the layer of net/http that quotes the whole URL.
func bare(err error) error {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		return u.Err
	}
	return err
}

// retryAfter reads the header of the same name: seconds or a date (RFC 9110, 10.2.3).
func retryAfter(resp *http.Response, now time.Time) (time.Duration, bool) {
	if resp == nil {
		return 0, false
	}
	text := strings.TrimSpace(resp.Header.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, true
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(at.Sub(now), 0), true
	}
	return 0, false
}

// shortest is the length from which on a header's value is taken for a secret.
const shortest = 4

// scrubber replaces the credentials, and their encodings, in what a server says.
func scrubber(header http.Header, password string) *strings.Replacer {
	secrets := map[string]bool{}
	add := func(text string) {
		if len(text) >= shortest {
			secrets[text], secrets[url.QueryEscape(text)], secrets[url.PathEscape(text)] = true, true, true
		}
	}
	add(password)
	for name, values := range header {
		for _, value := range values {
			add(value)
			if _, token, ok := strings.Cut(value, " "); ok && name == "Authorization" {
				add(token)
			}
		}
	}
	sorted := make([]string, 0, len(secrets))
	for s := range secrets {
		sorted = append(sorted, s)
	}
	// The replacer takes the first that fits: the longest must come first, or its rest would stay.
	sort.Slice(sorted, func(i, j int) bool {
		if len(sorted[i]) != len(sorted[j]) {
			return len(sorted[i]) > len(sorted[j])
		}
		return sorted[i] < sorted[j]
	})
	pairs := make([]string, 0, 2*len(sorted))
	for _, s := range sorted {
		pairs = append(pairs, s, "***")
	}
	return strings.NewReplacer(pairs...)
}
