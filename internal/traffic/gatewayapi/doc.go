// Package gatewayapi splits HTTPRoutes and GRPCRoutes of the Gateway API by the weights of their backendRefs.
//
// A rule takes part when one of its backendRefs is the base's Service. That reference keeps the base's part; a copy of
// it, with the candidate's Service as its name, gets the candidate's. Where other backends stand beside it, all weights
// of the rule are multiplied, so that the others keep their shares exactly. rules is an atomic list: routes are changed
// by update under the resourceVersion that was read, never by server-side apply, which would delete the user's rules.
package gatewayapi
