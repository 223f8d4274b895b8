//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
)

// removeLeftovers removes what the programs put at places that they do not let one choose. It is small and does nobody
// harm, so errors are not worth an end. Folders are removed only when they are empty.
func (c *cluster) removeLeftovers() {
	for _, a := range glob(c.State("containerd", "state", "io.containerd.runtime.v2.task", "k8s.io", "*", "address")) {
		if socket, err := os.ReadFile(a); err == nil {
			os.Remove(strings.TrimPrefix(string(socket), "unix://"))
		}
	}
	for _, link := range glob("/var/log/containers/*") {
		if to, err := os.Readlink(link); err == nil && strings.HasPrefix(to, c.Dir+"/") {
			os.Remove(link)
		}
	}
	removeNetworkResults("/var/lib/cni/results")
	os.Remove("/var/lib/kubelet/device-plugins/kubelet.sock") // makes no difference to any kubelet: it makes its own at its start
	for _, dir := range []string{"/var/log/containers", "/var/lib/cni/results", "/var/lib/cni", "/var/lib/kubelet/device-plugins", "/var/lib/kubelet"} {
		os.Remove(dir)
	}
	for _, group := range append(glob("/sys/fs/cgroup/*/kubepods"), "/sys/fs/cgroup/kubepods") {
		removeGroup(group)
	}
}

// removeNetworkResults removes what CNI remembers of this cluster's pods: files named after the network, the pod's sandbox
// and the device.
func removeNetworkResults(dir string) {
	for _, result := range glob(filepath.Join(dir, "tidegate-*-eth0")) {
		sandbox := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(result), "tidegate-"), "-eth0")
		os.Remove(filepath.Join(dir, "cni-loopback-"+sandbox+"-lo"))
		os.Remove(result)
	}
}

// removeGroup removes a control group and those in it; the kernel keeps any that has processes.
func removeGroup(dir string) {
	entries, _ := os.ReadDir(dir) // what is not there is removed
	for _, e := range entries {
		if e.IsDir() {
			removeGroup(filepath.Join(dir, e.Name()))
		}
	}
	os.Remove(dir)
}

func glob(pattern string) []string {
	found, _ := filepath.Glob(pattern) // the patterns are well-formed
	return found
}
