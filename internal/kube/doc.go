// Package kube speaks with the Kubernetes API.
//
// [Client] reads and writes any object as unstructured data, so that fields which Tidegate does not know survive. Three
// kinds of writes exist, and each is safe to repeat:
//
//   - [Client.Apply] (server-side apply) for objects that Tidegate makes;
//   - [Client.Modify] (read, change, update with the resourceVersion that was read) for objects of the user's;
//   - [Client.Delete].
//
// A write that has been sent is never cut off by a cancelled context: it is bounded by its own timeout, so that what
// follows it never races with it. Errors that pass (timeouts, 429, 5xx, a refused connection) are retried for a
// bounded time. [View] follows objects by a watch and wakes those who wait for a condition; nothing here polls.
package kube
