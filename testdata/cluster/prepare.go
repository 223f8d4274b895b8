//go:build linux

package main

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/template"

	"github.com/tidegate/tidegate/testdata/cluster/internal/build"
	"github.com/tidegate/tidegate/testdata/cluster/internal/credentials"
	"github.com/tidegate/tidegate/testdata/cluster/internal/layout"
	"github.com/tidegate/tidegate/testdata/cluster/internal/network"
)

//go:embed config
var configs embed.FS

// settings of the kernel that Kubernetes changes; down sets them back.
func settings() []string {
	return []string{"net/ipv4/ip_forward", "net/ipv4/conf/all/route_localnet", "net/ipv6/conf/all/forwarding", "net/bridge/bridge-nf-call-iptables",
		"vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops", "kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes"}
}

// prepare makes what processes need before they start. It may be repeated.
func (c *cluster) prepare() error {
	if !c.anyAlive() {
		if err := c.prepareNew(); err != nil {
			return err
		}
	}
	for _, dir := range []string{c.Logs(), c.Run(), c.State("config"), c.State("cni"), c.State("credentials"), c.State("targets"),
		c.State("kubelet"), c.State("volume-plugins"), c.State("etcd")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	if err := c.saveSettings(); err != nil {
		return err
	}
	if err := network.AddBridge(layout.Bridge, layout.NodeIP); err != nil {
		return fmt.Errorf("make the node's address: %w", err)
	}
	if err := network.KeepLocal(layout.Bridge, layout.ServiceNet, layout.PodNet); err != nil {
		return fmt.Errorf("keep the cluster's addresses local: %w", err)
	}
	if err := credentials.Write(c.State("credentials"), layout.NodeIP, layout.APIPort, layout.ServiceIP, "127.0.0.1"); err != nil {
		return err
	}
	if err := c.writeConfigs(); err != nil {
		return err
	}
	return c.installLauncher()
}

// prepareNew removes what a reboot, or somebody else's end, left of an earlier cluster: it is worth nothing. Where another
// cluster runs, it stops before anything is written that `down` would take for its own.
func (c *cluster) prepareNew() error {
	if err := c.clear(); err != nil {
		return err
	}
	return network.Free(layout.Etcd, layout.EtcdPeer, layout.Manager, layout.Scheduler, layout.KubeletHealth,
		layout.ProxyHealth, layout.ProxyMetrics, layout.Gateway, layout.GatewayAdmin, layout.Prometheus)
}

// values are what configuration files refer to.
type values struct{ *cluster }

func (values) CNI() string          { return build.CNI }
func (values) DNS() string          { return layout.DNS }
func (values) NodeIP() string       { return layout.NodeIP }
func (values) NodeName() string     { return layout.NodeName }
func (values) PodNet() string       { return layout.PodNet }
func (values) Pause() string        { return layout.Pause }
func (values) ProxyHealth() string  { return layout.ProxyHealth }
func (values) ProxyMetrics() string { return layout.ProxyMetrics }
func (values) GatewayAdmin() string { return layout.GatewayAdmin }
func (values) GatewayPort() string  { return layout.GatewayPort }

// writeConfigs fills in the files of the folder config.
func (c *cluster) writeConfigs() error {
	all, err := template.ParseFS(configs, "config/*")
	if err != nil {
		return err
	}
	for _, t := range all.Templates() {
		dir := "config"
		if filepath.Ext(t.Name()) == ".conflist" {
			dir = "cni" // containerd reads every file there
		}
		var b bytes.Buffer
		if err := t.Execute(&b, values{c}); err != nil {
			return err
		}
		if err := os.WriteFile(c.State(dir, t.Name()), b.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (c *cluster) saveSettings() error {
	file := c.State("settings.json")
	if _, err := os.Stat(file); err == nil {
		return nil
	}
	data, err := json.Marshal(network.Settings(settings()))
	if err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o644)
}

func (c *cluster) restoreSettings() error {
	data, err := os.ReadFile(c.State("settings.json"))
	if err != nil {
		return nil // nothing was changed
	}
	var values map[string]string
	if err := json.Unmarshal(data, &values); err != nil {
		return err
	}
	return network.Restore(values)
}

// installLauncher keeps a copy of this program, which `go run` may remove, for the process that watches pods.
func (c *cluster) installLauncher() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	from, err := os.Open(self)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(c.Bin("cluster.new"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(to, from); err != nil {
		to.Close()
		return err
	}
	if err := to.Close(); err != nil {
		return err
	}
	return os.Rename(c.Bin("cluster.new"), c.Bin("cluster"))
}
