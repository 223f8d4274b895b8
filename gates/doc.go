// Package gates defines what judges a rollout.
//
// A [Gate] takes one look and answers pass, fail or pending, with a reason and evidence. It never sleeps, never
// retries and never reads the clock: the engine asks it again and again while a step holds. What a row of looks means
// — how many failures undo a rollout, how long missing data is waited for — is decided by a [Judge] under the gate's
// [Rule], the same for every kind. What is not known is never a pass.
//
// Each kind lives in a package of its own below this one.
package gates
