// Package httpclient is how providers speak HTTP: patient with servers, suspicious of addresses, silent about secrets.
//
// A [Client] belongs to one provider entry of a spec. It
//
//   - asks again on 429, 5xx (but 501, which means "never") and broken connections, as long as the context lasts: after
//     Retry-After if the server says so, else after a wait that doubles. Requests must be safe to repeat;
//   - reads a bounded body;
//   - turns 401 and 403, and failures that outlast the retries, into a [metrics.Error]. Every other response is the
//     provider's to read;
//   - keeps credentials out of every error: they are sent as headers, never in a URL, and scrubbed from the words of a
//     server that echoes them;
//   - refuses link-local and cloud metadata addresses after name resolution, in the dialer, so that a name that
//     resolves to one does not help; a spec may come from a pull request, and the runner's identity is behind them;
//   - follows redirects only on the same host, and never back to plain HTTP;
//   - uses a proxy of the environment, but not a user and password written into it. Behind a proxy the names are
//     resolved by the proxy, so only literal addresses can be refused here.
package httpclient
