// Package istio splits the HTTP routes of Istio's VirtualServices by the weights of their destinations.
//
// The first route that matches a request wins. So what narrows a route, the ring's requests or those of users with a cohort,
// stands in a route of ours directly before it: the same route, each of whose matches asks for one header more. No other
// route of the user's is overtaken by that. Ours are known by their names, which Istio keeps and does nothing with.
//
// A route takes part when it has a destination with the base's host. Beside it comes the same destination with the
// candidate's host, without a subset, for the candidate is a Service of its own; where others stand beside it, all weights are
// multiplied, so that they keep their shares. A draw of cohorts repeats the base's destination, once per cohort, each with
// its cookie in the headers of the response: Istio's validation and Envoy's weighted clusters take one host several times.
//
// The annotation keeps the destinations and mirrors of each route that takes part. The version of the API is
// networking.istio.io/v1, which Istio serves since 1.22; a cluster with an older one is told so.
package istio
