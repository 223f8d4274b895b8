// Package kubernetes is the gate that is always on: it watches the pods that run the new version.
//
// It fails when the cluster itself says that the version does not run: a crash loop, an image that cannot be pulled, a
// container that cannot be created, an OOM kill, an eviction, a restart after an error while the gate watches, a pod that
// was ready and stays unready, or no ready pod any more. While some pods are not ready yet, or none is for the first time,
// it is pending.
//
// "While the gate watches" begins with its first look: a pod that needed two attempts to start, and has run since, is no
// failure. So one [Gate] belongs to one rollout and remembers what it saw; time is what [gates.Input] says it is.
//
// Reasons name the pod and the container, its exit code and its last words, and the command that shows more.
package kubernetes
