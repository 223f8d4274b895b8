// Package e2e tests the built tidegate as its users meet it: as a process, against a real Kubernetes, a real gateway and a
// real Prometheus (testdata/cluster), with 200 real requests a second through the gateway during everything.
//
// It holds tests only. TestMain starts the cluster if it does not run, which takes about 12 minutes the first time and
// nothing later, and leaves it running (`go run -C testdata/cluster . down` ends it). Where that cannot be, on another
// system than Linux or without root, the tests are skipped with a line that says so, unless TIDEGATE_REQUIRE_CLUSTER=1 or
// CI=true asks for them. Another cluster can be used:
//
//	KUBECONFIG               one whose nodes have the images tidegate.local/checkout:v1 to v11, and the Gateway gateway/gateway
//	TIDEGATE_E2E_GATEWAY     the gateway's URL, on a loopback address (a port-forward)
//	TIDEGATE_E2E_PROMETHEUS  the URL of a Prometheus that scrapes the pods every second
//
// # How a test reads
//
// [open] makes a shop: a namespace of its own, with the user's objects (applied by kubectl, as users do), a deploy spec in
// a folder of its own, and users. s.deploy starts tidegate, s.whole says that everything is as the user left it but for the
// image: that is asserted after every rollout and every abort, and it includes that no request was lost.
package e2e
