// Package memory keeps the state of one workload in this process: for tests of the engine and for rehearsals.
//
// A [Cluster] is what several processes share; a [Process] is one of them and at once the Store, the Locker and the
// Inbox that it would have. Connections can be cut ([Process.Cut]) and saves can fail ([Hooks]).
//
// Nothing runs in the background while all is well, so that a virtual clock meets no timers but the test's own: a
// holder that is connected counts as renewing its lease. The lease's timers run only once its holder is cut off.
package memory
