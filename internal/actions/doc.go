// Package actions speaks with the runner of GitHub Actions: it reads inputs, state and the event, and writes outputs,
// state, the job summary, masks and annotations.
//
// It knows the runner's protocol and nothing of rollouts. Facts are from the runner's documentation
// (https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands) and stand where they matter.
package actions
