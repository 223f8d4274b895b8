// Package gatewayapi splits HTTPRoutes and GRPCRoutes of the Gateway API by the weights of their backendRefs.
//
// A rule takes part when one of its backendRefs is the base's Service. That reference keeps the base's part; a copy of
// it, with the candidate's Service as its name, gets the candidate's. Where other backends stand beside it, all weights
// of the rule are multiplied, so that the others keep their shares exactly. rules is an atomic list: routes are changed
// by update under the resourceVersion that was read, never by server-side apply, which would delete the user's rules.
//
// Requests of a ring and users of a cohort find their version by rules of ours, which repeat the user's for them. Those of a
// ring stand before all others, and win; those of cohorts stand behind, so that a rule of the user's which asks for as much
// keeps its requests. What neither takes comes to the user's own rule: divided by weights, or, with cohorts, drawn. The draw
// answers from the base by one Service for each cohort, whose answers carry its cookie. A mirror is one filter of the rule.
package gatewayapi
