// Package preflight says everything that would make a rollout fail, before anything is touched.
//
// [Observe] reads what the rollout deals with: the Deployment, its Service, the routes, the autoscaler, the policies that
// select its pods, and what else decides whether a second set of pods fits beside the first. It returns the
// plan.Baseline that strategies compile from. A spec that does not fit the cluster, so that no plan can be made, is an
// [Invalid].
//
// [Check] judges: which permissions are missing, what the server answers to a dry run of the candidate, and what the
// observed objects say. Each judgement is a [Finding] with an object, a message and a remedy. Findings are pure
// functions over what was observed, one small file per subject, which is why the package has many files; their names,
// levels and what overrides them stand in one table ([Kinds]), from which the documentation is made. The permissions
// come from one table too ([Needed]), from which the Role is printed.
//
// Both together make at most [MaxCalls] calls, none of them a write, as long as all routes are in one namespace and the
// server knows its own rules by heart (otherwise every further namespace costs up to three calls, and every permission of which
// the server is not sure one access review). Questions whose answer is a warning at best come last, and are left out
// when the calls are used up or when they are forbidden; a finding says so: no silent pass.
//
// A rollout that lost its record leaves marks. Observe finds them ([Observed].Leftovers), and [Reconstruct] makes the
// baseline that the rollout started from out of them, so that it can be undone.
package preflight
