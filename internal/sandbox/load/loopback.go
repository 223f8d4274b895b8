package load

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

// loopback is the error for every URL that does not name this machine.
func loopback(raw string) error {
	u, err := url.Parse(raw)
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	if u.Scheme != "http" {
		return fmt.Errorf("load: %q: want an http:// URL", raw)
	}
	if u.Hostname() == "localhost" {
		return nil
	}
	if addr, err := netip.ParseAddr(u.Hostname()); err != nil || !addr.Unmap().IsLoopback() {
		return fmt.Errorf("load: %q is not a loopback address: load is sent to this machine only, such as http://127.0.0.1:18080", raw)
	}
	return nil
}

// dial connects to loopback addresses only.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: 5 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		addr, err := netip.ParseAddrPort(address)
		if err != nil || !addr.Addr().Unmap().IsLoopback() {
			return fmt.Errorf("%s is not a loopback address", address)
		}
		return nil
	}}
	return d.DialContext(ctx, network, address)
}
