// Package controllers makes the embedded cluster's objects live: what kube-controller-manager, scheduler, kubelet and a
// gateway's controller do to the objects that a rollout touches.
//
// One goroutine does it all. It is woken by the server's write hook or by the moment that an object waits for, takes one
// object after another from a queue without duplicates, and brings what depends on it into its next state. So runs
// with the same inputs can be compared, and when nothing changes nothing happens: inside a testing/synctest bubble it stands still.
//
// The arithmetic of rolling updates (surge, unavailability, minReadySeconds, the clean-up of unhealthy old pods, scaling
// in proportion), of partitions and of a DaemonSet's bounds follows kube-controller-manager's, since strategies rely on it to the pod. What differs: pods are
// processes in name only (see [Options].Images), one node runs all of them but those of DaemonSets, claims of a StatefulSet are
// not made, and garbage collection is the server's.
package controllers
