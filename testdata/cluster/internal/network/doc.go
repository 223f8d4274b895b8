// Package network makes and removes what the cluster needs of the machine's network: one bridge device that carries the
// node's address, routes that keep the cluster's addresses on the machine, and, at the end, the iptables chains and kernel
// settings that kube-proxy and the kubelet leave.
package network
