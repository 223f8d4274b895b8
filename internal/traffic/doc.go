// Package traffic divides requests between the base and the candidate.
//
// A [Router] changes one kind of route. It changes the backends of the rules that it was given and keeps every other
// rule, filter, label and unknown field. Before the first change it keeps what it needs to go back in an annotation of
// the route itself, so that a rollout whose record was lost can still be undone.
package traffic
