// Package state is where a rollout is remembered and where its one holder is chosen.
//
// It has three parts, each a port of the engine: the record (what is known of a workload's rollouts), the lock (who may
// change the workload) and the inbox (what others ask of the holder). All three are named after the workload, not after
// the deploy spec: two specs cannot drive one workload.
//
//   - [github.com/tidegate/tidegate/internal/state/cluster] keeps them in the cluster: two ConfigMaps and a Lease.
//   - [github.com/tidegate/tidegate/internal/state/memory] keeps them in this process, for tests and rehearsals.
//   - [github.com/tidegate/tidegate/internal/state/contract] is the suite that both pass.
//
// Safety rests on two things that do not trust each other. The Lease keeps two runners from working at the same time, as
// long as clocks tick at about the same speed. The epoch in the record, which every takeover raises by compare-and-swap,
// fences a holder that lost the Lease without noticing: nothing that it saves is stored any more.
package state
