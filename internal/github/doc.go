// Package github tells GitHub of a rollout: a deployment with its statuses, a commit status for the rollout and for each
// gate, a check run on request.
//
// A [Reporter] listens to the engine's events and keeps, in a [Ledger], what GitHub should know and what it has been
// told, topic by topic. One goroutine works off the difference. So what comes quickly is told once, what GitHub refuses
// for a while is told when it answers again, and a process that dies leaves behind, in the record and in the job's state,
// what the next one needs to close what was opened. Nothing here can stop a rollout or make it wait.
//
// GitHub's types do not leave this package. Facts about the API are from its documentation
// (https://docs.github.com/rest) and stand beside the code that relies on them.
package github
