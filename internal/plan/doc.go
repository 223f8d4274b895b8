// Package plan holds what a rollout will do, as data.
//
// A strategy compiles a deploy spec and a [Baseline] (what was observed before anything was touched) into a [Plan]:
// an ordered list of [Step]s. A step has forward [Op]s, the ops that undo them, a hold and the gates that watch it.
// Ops are absolute statements ("25 % of the requests go to the candidate"), so that applying one twice is safe and a
// killed run resumes by applying the started step again. The way back from any step is [Plan.UndoFrom].
//
// Nothing here reads a clock, a cluster or a file: a plan can be printed, digested, stored in the record and compared.
package plan
