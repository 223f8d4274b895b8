// Package layout says where the cluster's files are and at which addresses its parts listen.
package layout

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// Everything listens on loopback, but for the API server and the kubelet, which listen on a bridge device of their own.
const (
	Bridge     = "tg0"
	NodeIP     = "10.99.0.1"
	NodeName   = "tidegate"
	APIPort    = "6443"
	API        = "https://" + NodeIP + ":" + APIPort
	ServiceNet = "10.96.0.0/16"
	ServiceIP  = "10.96.0.1"  // the API server's, as pods know it
	DNS        = "10.96.0.10" // nothing answers there
	PodNet     = "10.244.0.0/24"

	Etcd          = "127.0.0.1:12379"
	EtcdPeer      = "127.0.0.1:12380"
	Manager       = "127.0.0.1:10257"
	Scheduler     = "127.0.0.1:10259"
	KubeletHealth = "127.0.0.1:10248"
	ProxyHealth   = "127.0.0.1:10256"
	ProxyMetrics  = "127.0.0.1:10249"
	Gateway       = "127.0.0.1:18080"
	GatewayPort   = "18080"
	GatewayAdmin  = "127.0.0.1:18081"
	Prometheus    = "127.0.0.1:19090"

	Image = "tidegate.local/checkout"
	Pause = "tidegate.local/pause:1"
)

// Layout is the one folder that holds everything.
type Layout struct {
	Dir    string
	Source string // the launcher's own folder
}

// Find is the folder that TIDEGATE_CLUSTER_DIR names, or one in the user's cache, and the launcher's own folder.
func Find() (Layout, error) {
	source, err := source()
	if err != nil {
		return Layout{}, err
	}
	dir := os.Getenv("TIDEGATE_CLUSTER_DIR")
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return Layout{}, fmt.Errorf("%w: set TIDEGATE_CLUSTER_DIR to a folder for the cluster", err)
		}
		dir = filepath.Join(cache, "tidegate-cluster")
	}
	dir, err = filepath.Abs(dir)
	return Layout{Dir: dir, Source: source}, err
}

// source is where the launcher was compiled, or the working directory.
func source() (string, error) {
	_, file, _, _ := runtime.Caller(0)
	wd, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for _, dir := range []string{filepath.Dir(filepath.Dir(filepath.Dir(file))), wd} {
		if _, err := os.Stat(filepath.Join(dir, "kubernetes", "go.mod")); err == nil {
			return dir, nil
		}
	}
	return "", fmt.Errorf("%s is not the launcher's folder: run it as `go run -C testdata/cluster . up`", wd)
}

// Bin is what was built; it outlives the cluster.
func (l Layout) Bin(name string) string { return filepath.Join(l.Dir, "bin", name) }

// Logs are the components' logs of the last time.
func (l Layout) Logs() string { return filepath.Join(l.Dir, "logs") }

// Run holds the records of processes, and sockets.
func (l Layout) Run(name ...string) string {
	return filepath.Join(append([]string{l.Dir, "run"}, name...)...)
}

// State is the cluster's data and settings, which end with it.
func (l Layout) State(name ...string) string {
	return filepath.Join(append([]string{l.Dir, "state"}, name...)...)
}

// Socket is containerd's.
func (l Layout) Socket() string { return l.Run("containerd.sock") }

// Description is the file that tells others how to reach the cluster.
func (l Layout) Description() string { return filepath.Join(l.Dir, "cluster.json") }

// Repository is the root of Tidegate's own module.
func (l Layout) Repository() string { return filepath.Join(l.Source, "..", "..") }
