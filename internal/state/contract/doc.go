// Package contract is what every implementation of the engine's Store, Locker and Inbox must do, as three test suites.
//
// An implementation is given as a [Harness] that makes fresh clusters. The suites see a cluster as several processes
// with connections of their own, which they cut and mend. They wait for the real clock: in a testing/synctest bubble
// that costs nothing, against a real cluster it costs the time it says.
package contract
