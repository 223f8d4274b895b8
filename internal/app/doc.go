// Package app puts the parts together: it builds the clients, takes the lock, finds out what stands in the cluster,
// has the plan compiled and hands it to the engine.
//
// Each command is one function here: [Deploy], [Promote], [Abort], [Rollback], [Retry], [Status], [Plan], [Query]. The
// command line and the Action turn their input into the same [Options].
package app
