// Command cluster runs a real Kubernetes cluster on one bare Linux machine, for tests that fakes cannot make: lost requests,
// weights that are not in force, pods that are not ready.
//
//	go run -C testdata/cluster . build     make the binaries and images; the first time takes about 12 minutes
//	go run -C testdata/cluster . up        start it (and build what is missing); prints how to reach it, as JSON
//	go run -C testdata/cluster . status    each part, its pid, healthy or not; -o json as `up` prints it
//	go run -C testdata/cluster . down      end it; leaves no process, mount, link or iptables rule behind
//
// It needs root, a Go toolchain and a few Debian packages, which build installs; no container registry or engine. Where it
// cannot run, it says so in one line and ends with code 3.
//
// # What runs
//
// etcd, containerd and Prometheus are Debian's. Kubernetes is one binary of all its components, from its Go module
// (kubernetes/main.go, a module of its own); Traefik is built from its module too. Traefik runs on the machine itself and
// serves the Gateway API (the experimental channel, which contains the standard one), its own resources, and Ingresses of
// class nginx with ingress-nginx's annotations. It listens on 127.0.0.1:18080 only. Prometheus scrapes every running pod
// that has a container port named http, each second, on 127.0.0.1:19090.
//
// Pods use images that are already there, tidegate.local/checkout:v1 to v11 (internal/build/images.go says how each
// behaves). There is no cluster DNS, no metrics server, and nothing can be pulled.
//
// # Where things are
//
// Everything is in one folder: TIDEGATE_CLUSTER_DIR, or tidegate-cluster in the user's cache. bin is what was built, logs is
// what was said, run is who runs, state is the cluster itself. Processes run in sessions of their own and are known by their
// records (internal/process); down ends these and nothing else, except for containers, known by containerd's socket in that
// folder. up may be repeated at any time, and starts what has died.
//
// The parts are listed once, in components.go, in the order of their start.
package main
