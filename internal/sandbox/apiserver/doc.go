// Package apiserver is a Kubernetes API server in memory: small enough to be made and thrown away by every test, and
// strict enough that a client which works here works on a cluster.
//
// A [Server] is an http.Handler over one [Store]. The same requests arrive by a socket ([Server.Handler]) or in-process
// ([Server.RoundTripper]); the latter does no I/O at all, so that it runs inside a testing/synctest bubble.
//
// Order is the main promise: one lock serialises writes together with their hooks ([Server.OnWrite]), every stored write
// has a resourceVersion of its own, and a hook sees the store exactly as that write left it. Reads and watches do not
// take that lock. A hook may read the [Store], it must not write or wait.
//
// A write goes through these stages, in this order: decode, keep what the client may not change (uid, creation time,
// the other half of spec and status), default, validate, track field ownership, drop it when nothing changed, bump the
// generation, store, tell hooks and watchers, collect what it owned.
//
// Objects are unstructured all along. For kinds that client-go knows the typed schema decides about merge keys, field
// ownership and unknown fields; for all others types are deduced, as a real server does for a CRD without a schema.
//
// Faults, refusals and counts are part of the server, since that is where a test wants them: [Server.Intercept],
// [Server.Deny], [Server.Calls].
package apiserver
