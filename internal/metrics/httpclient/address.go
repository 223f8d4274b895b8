package httpclient

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

var (
	errAddress  = errors.New("link-local and metadata addresses are not called")
	errRedirect = errors.New("redirects to another host are not followed")
)

// refused are the addresses behind which a machine's own identity lives. The private networks are not among them:
// most metrics servers are there.
var refused = []netip.Prefix{
	netip.MustParsePrefix("169.254.0.0/16"),     // IPv4 link-local: metadata of AWS, Azure, GCP and others
	netip.MustParsePrefix("fe80::/10"),          // IPv6 link-local
	netip.MustParsePrefix("fd00:ec2::/32"),      // AWS: instance metadata, pod identity
	netip.MustParsePrefix("fd20:ce::254/128"),   // GCP over IPv6
	netip.MustParsePrefix("100.100.100.200/32"), // Alibaba Cloud
	netip.MustParsePrefix("168.63.129.16/32"),   // Azure's host agent
}

// metadataNames are what a proxy would resolve for us.
var metadataNames = []string{"metadata.google.internal", "metadata", "instance-data", "instance-data.ec2.internal"}

// checkAddress refuses addr, also when it is an IPv4 address dressed as IPv6 (mapped, or NAT64 of RFC 6052).
func checkAddress(addr netip.Addr) error {
	addr = addr.Unmap().WithZone("")
	if b := addr.As16(); addr.Is6() && nat64.Contains(addr) {
		addr = netip.AddrFrom4([4]byte(b[12:]))
	}
	for _, p := range refused {
		if p.Contains(addr) {
			return fmt.Errorf("%w (%s)", errAddress, addr)
		}
	}
	return nil
}

var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// checkTarget refuses what can be seen before a name is resolved; the dialer sees the rest.
func checkTarget(u *url.URL) error {
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	for _, name := range metadataNames {
		if host == name {
			return fmt.Errorf("%w (%s)", errAddress, host)
		}
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return checkAddress(addr)
	}
	return nil
}

// control looks at every address that the dialer is about to connect to.
func control(_ context.Context, _, address string, _ syscall.RawConn) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return err
	}
	return checkAddress(addr)
}

func transport(insecure bool) *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second, ControlContext: control}
	return &http.Transport{
		Proxy:               func(r *http.Request) (*url.URL, error) { return withoutUser(http.ProxyFromEnvironment(r)) },
		DialContext:         dialer.DialContext,
		ForceAttemptHTTP2:   true,
		MaxIdleConns:        10,
		IdleConnTimeout:     90 * time.Second,
		TLSHandshakeTimeout: 10 * time.Second,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: insecure}, //nolint:gosec // asked for in the spec
	}
}

// withoutUser drops the credentials of an ambient proxy, which were not given for this.
func withoutUser(proxy *url.URL, err error) (*url.URL, error) {
	if err != nil || proxy == nil || proxy.User == nil {
		return proxy, err
	}
	bare := *proxy
	bare.User = nil
	return &bare, nil
}

const maxRedirects = 3

// checkRedirect follows on the same host only, where the credentials were meant to go.
func checkRedirect(req *http.Request, via []*http.Request) error {
	from := via[len(via)-1].URL
	same := req.URL.Host == from.Host && req.URL.Scheme == from.Scheme
	switch {
	case !same && req.URL.Hostname() == from.Hostname() && req.URL.Scheme == "https" && from.Scheme == "http" && req.URL.Port() == "":
	case !same:
		return fmt.Errorf("%w (the server points to %s://%s); write the final address into url", errRedirect, req.URL.Scheme, req.URL.Host)
	}
	if len(via) > maxRedirects {
		return fmt.Errorf("%w more than %d times", errRedirect, maxRedirects)
	}
	if via[0].Method != req.Method {
		return fmt.Errorf("%w when they drop the request's body (the server points to %s); write the final address into url", errRedirect, req.URL.Path)
	}
	return nil
}
