// Package sandbox is the embedded cluster: a Kubernetes API server over one in-memory store (apiserver), controllers
// that make its objects live (controllers), pods that are HTTP handlers (service), a gateway that obeys HTTPRoutes
// (gateway) and a Prometheus that scrapes the pods (prom).
//
// It has two uses. Without [Options].Traffic it does no I/O: clients get a transport that calls the server's handler, and
// every wait is a timer or a channel, so that hundreds of rollouts run inside testing/synctest bubbles; there nothing
// happens unless something changed, and [Cluster.Close] leaves no goroutine. With Traffic it listens on 127.0.0.1: API,
// gateway and Prometheus on a port each, for demonstrations and kubectl.
//
// A new cluster has the namespaces default and kube-system, one node, the GatewayClass "sandbox" and in default the
// Gateway "sandbox", to which routes of every namespace may attach.
package sandbox
