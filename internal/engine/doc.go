// Package engine carries a plan out: step by step forward, or back.
//
// It knows no strategy, no gate kind, no router and no vendor. It defines the ports that it needs — [Store],
// [Actuator], [Listener], [Inbox] and gates — and keeps these laws:
//
//   - "started" is saved before a step is applied and "finished" after it; finishing one step and starting the next is
//     one write. A save that fails stops the run.
//   - Resume applies the started step again; ops are absolute, so that is safe.
//   - One goroutine owns the rollout's state. Ops and looks of gates run beside it and report through a channel.
//   - Gates neither sleep nor read the clock; the engine's clock asks them. So the same engine runs in virtual time.
//   - A lost lock cancels everything at once, and nothing more is changed or saved.
//   - Undo runs under a fresh bounded context: traffic first, then everything else.
//   - A rollout that waits for a person needs no run: the record says what is asked, and who answers carries it on. The
//     deadline stands still meanwhile. A run stays only when it is told to, or when users may not be left alone.
//   - So does a detached hold: once its gates have been asked, the run ends. The end of the hold is in the record, a later run
//     looks at it, and gates have to pass once more when it is over. The deadline goes on.
//   - Listeners are told what happens; they cannot stop or slow a run.
package engine
