// Package gateway is the embedded cluster's data plane: a handler that sends requests where HTTPRoutes and GRPCRoutes say,
// IngressRoutes with TraefikServices, Ingresses with the canary annotations of ingress-nginx, and VirtualServices.
//
// It obeys hostnames, matches by path, method, header and query with the Gateway API's precedence, weights, and header
// modifiers of rules and backends, and picks among a Service's ready endpoints. Like a real one it lags: a change of a
// route or an endpoint is in force only some time after the API, and its status, say so. So code that trusts the status
// loses requests here as well.
//
// Pods are handlers, reached by their address without a socket. An address where nobody listens is 502, as a refused
// connection is behind a real proxy; a Service without endpoints 503; no route 404; a backend that does not exist 500.
package gateway
