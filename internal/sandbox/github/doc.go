// Package github is a double of GitHub's REST API, for what Tidegate asks of it: deployments and their statuses, commit
// statuses, check runs, comments, files, commits and environments. Tests drive the real client against it, and
// `tidegate demo` shows what GitHub would have been told.
//
// It is two things on top of each other. Every request is held against GitHub's published description (testdata/github):
// its path, its parameters and its body; what does not fit is answered 422 and kept among [Server.Problems], which a test
// wants empty. And it does what the description says in prose, or not at all: descriptions of 140 characters, 202 and 409
// instead of a deployment, deployments that become inactive, permissions, rate limits, lists that lag behind. Where
// GitHub's wording is known it is used, because clients tell some answers apart by nothing else.
//
// What goes wrong on the way is asked for with [Server.Fault]: limits, errors, answers that come late, never, or get lost
// after the work was done.
//
// It knows one repository, and no other package of the product but the clock. A [Server] is an http.Handler without an
// address of its own; everything happens under one lock, so that what a test reads is one moment.
package github
