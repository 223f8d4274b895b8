// Package query turns the text of a spec into the query that a provider is asked: a Go template over one side of a
// rollout.
//
// The text comes from a spec and the values from the cluster, so values are made safe for the place where they stand, a
// pattern within quotes: the dots of pod names are written [.], which needs no backslash that the quotes would eat.
package query
