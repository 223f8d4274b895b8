// Package cluster keeps the state of one workload in its namespace.
//
//	tidegate-<kind>-<workload>        ConfigMap: the record, gzipped JSON beside a summary that a person can read
//	tidegate-<kind>-<workload>        Lease: who may change the workload
//	tidegate-<kind>-<workload>-inbox  ConfigMap: one key for each request to the holder
//
// [Store] writes with the resourceVersion that it saw last, so a save is one call. A conflict is read again: the same
// epoch and the same claim are our own earlier write (or somebody's label), anything else is another holder.
//
// [Locker] judges a Lease by change, never by its times: it has expired when its spec stayed the same for its duration
// on our own monotonic clock. Our own right lasts from before a renewal was sent. [Locker.Transport] lets a write
// through only while more of that right is left than the write may take, and tells the server to give up in time.
//
// [Inbox] and [Store.WatchRecord] watch one object by its name and survive cut connections and compacted histories.
//
// The Locker needs a client of its own, without its fence. Store and actuators of a holder go through the fence;
// readers, and Inbox.Post of somebody who does not hold the lock, do not.
package cluster
