package httpclient

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"testing"
)

func TestAddresses(t *testing.T) {
	for address, allowed := range map[string]bool{
		"169.254.169.254": false, "169.254.0.1": false, "169.254.170.23": false, "::ffff:169.254.169.254": false,
		"64:ff9b::a9fe:a9fe": false, "fe80::1": false, "febf::1": false, "fe80::1%eth0": false, "fd00:ec2::254": false,
		"fd00:ec2::23": false, "fd20:ce::254": false, "100.100.100.200": false, "168.63.129.16": false,
		"127.0.0.1": true, "10.0.0.1": true, "192.168.1.1": true, "169.253.255.255": true, "::1": true, "fec0::1": true,
		"fd00:ec3::254": true, "2001:db8::1": true, "64:ff9b::a00:1": true, "::ffff:10.0.0.1": true,
	} {
		t.Run(address, func(t *testing.T) {
			addr := netip.MustParseAddr(address)
			if err := checkAddress(addr); (err == nil) != allowed || !allowed && !errors.Is(err, errAddress) {
				t.Errorf("got %v, allowed: %v", err, allowed)
			}
			// The dialer is asked after the name was resolved.
			err := control(t.Context(), "tcp", netip.AddrPortFrom(addr, 80).String(), nil)
			if (err == nil) != allowed {
				t.Errorf("the dialer: %v, allowed: %v", err, allowed)
			}
		})
	}
}

func TestTransportHasTheGuard(t *testing.T) {
	_, err := transport(false).DialContext(t.Context(), "tcp", "169.254.169.254:80")
	if !errors.Is(err, errAddress) {
		t.Errorf("dialed a metadata address: %v", err)
	}
}

func TestTargetsByName(t *testing.T) {
	for target, allowed := range map[string]bool{
		"http://metadata.google.internal/": false, "http://METADATA.google.internal./": false, "http://[fe80::1%25eth0]/": false,
		"http://prometheus.example.com/": true, "http://metadata.example.com": true,
	} {
		u, err := url.Parse(target)
		if err != nil {
			t.Fatal(err)
		}
		if err := checkTarget(u); (err == nil) != allowed {
			t.Errorf("%s: %v, allowed: %v", target, err, allowed)
		}
	}
}

func TestProxyWithoutItsCredentials(t *testing.T) {
	proxy := &url.URL{Scheme: "http", Host: "proxy:3128", User: url.UserPassword("user", "password")}
	got, err := withoutUser(proxy, nil)
	if err != nil || got.String() != "http://proxy:3128" {
		t.Errorf("got %v, %v", got, err)
	}
	if proxy.User == nil {
		t.Error("changed the environment's own value")
	}
	if got, err := withoutUser(nil, nil); got != nil || err != nil {
		t.Errorf("without a proxy: %v, %v", got, err)
	}
}

func TestRedirectToHTTPSAndBack(t *testing.T) {
	for _, tt := range []struct {
		from, to string
		follows  bool
	}{
		{"http://prom/a", "https://prom/a", true},
		{"http://prom:9090/a", "https://prom/a", true},
		{"https://prom/a", "http://prom/a", false},
		{"http://prom/a", "https://prom:8443/a", false},
		{"http://prom/a", "https://prom.example.com/a", false},
	} {
		from, to := request(t, tt.from), request(t, tt.to)
		if err := checkRedirect(to, []*http.Request{from}); (err == nil) != tt.follows {
			t.Errorf("%s to %s: %v", tt.from, tt.to, err)
		}
	}
}

func request(t *testing.T, target string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestBaseURL(t *testing.T) {
	u, user, password, err := BaseURL("https://user:pa%3Ass@prom.example.com/prometheus/")
	if err != nil || u.String() != "https://prom.example.com/prometheus" || user != "user" || password != "pa:ss" {
		t.Errorf("got %v, %q, %q, %v", u, user, password, err)
	}
}
