//go:build linux

package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"

	"github.com/tidegate/tidegate/testdata/cluster/internal/credentials"
	"github.com/tidegate/tidegate/testdata/cluster/internal/layout"
	"github.com/tidegate/tidegate/testdata/cluster/internal/process"
)

// component is one process of the cluster.
type component struct {
	process.Spec
	health func(context.Context) error
}

// stages are the components in the order of their start: each stage needs those before it.
func (c *cluster) stages() [][]component {
	return [][]component{
		{c.etcd(), c.containerd()},
		{c.apiserver()},
		{c.manager(), c.scheduler(), c.kubelet(), c.proxy(), c.watcher(), c.prometheus()},
		{c.traefik()},
	}
}

func (c *cluster) etcd() component {
	return component{
		c.spec("etcd", "etcd",
			"--data-dir="+c.State("etcd"), "--unsafe-no-fsync",
			"--listen-client-urls=http://"+layout.Etcd, "--advertise-client-urls=http://"+layout.Etcd,
			"--listen-peer-urls=http://"+layout.EtcdPeer, "--initial-advertise-peer-urls=http://"+layout.EtcdPeer,
			"--initial-cluster=default=http://"+layout.EtcdPeer),
		answers("http://" + layout.Etcd + "/health"),
	}
}

func (c *cluster) containerd() component {
	return component{
		c.spec("containerd", "containerd", "--config="+c.State("config", "containerd.toml")),
		func(ctx context.Context) error {
			conn, err := (&net.Dialer{}).DialContext(ctx, "unix", c.Socket())
			if err != nil {
				return err
			}
			return conn.Close()
		},
	}
}

func (c *cluster) apiserver() component {
	account := c.credential(credentials.AccountKey)
	return component{
		c.kubernetes("kube-apiserver",
			"--etcd-servers=http://"+layout.Etcd,
			"--bind-address="+layout.NodeIP, "--advertise-address="+layout.NodeIP, "--secure-port="+layout.APIPort,
			"--tls-cert-file="+c.credential(credentials.Certificate), "--tls-private-key-file="+c.credential(credentials.Key),
			"--token-auth-file="+c.credential(credentials.Tokens), "--authorization-mode=Node,RBAC",
			"--service-account-issuer=https://kubernetes.default.svc",
			"--service-account-key-file="+account, "--service-account-signing-key-file="+account,
			"--service-cluster-ip-range="+layout.ServiceNet, "--kubelet-preferred-address-types=InternalIP",
			"--allow-privileged", "--profiling=false"),
		func(ctx context.Context) error {
			client, err := c.client()
			if err != nil {
				return err
			}
			_, err = client.Read(ctx, "/readyz")
			return err
		},
	}
}

func (c *cluster) manager() component {
	return component{
		c.kubernetes("kube-controller-manager",
			"--kubeconfig="+c.Kubeconfig(), "--leader-elect=false", "--bind-address=127.0.0.1",
			"--service-account-private-key-file="+c.credential(credentials.AccountKey), "--root-ca-file="+c.credential(credentials.CA),
			"--flex-volume-plugin-dir="+c.State("volume-plugins"),
			"--kube-api-qps=200", "--kube-api-burst=400", "--profiling=false"),
		answers("https://" + layout.Manager + "/healthz"),
	}
}

func (c *cluster) scheduler() component {
	return component{
		c.kubernetes("kube-scheduler",
			"--kubeconfig="+c.Kubeconfig(), "--leader-elect=false", "--bind-address=127.0.0.1",
			"--kube-api-qps=200", "--kube-api-burst=400", "--profiling=false"),
		answers("https://" + layout.Scheduler + "/healthz"),
	}
}

func (c *cluster) kubelet() component {
	return component{
		c.kubernetes("kubelet",
			"--config="+c.State("config", "kubelet.yaml"), "--kubeconfig="+c.Kubeconfig(),
			"--hostname-override="+layout.NodeName, "--node-ip="+layout.NodeIP,
			"--root-dir="+c.State("kubelet"), "--cert-dir="+c.State("kubelet", "pki")),
		answers("http://" + layout.KubeletHealth + "/healthz"),
	}
}

func (c *cluster) proxy() component {
	return component{
		c.kubernetes("kube-proxy", "--config="+c.State("config", "kube-proxy.yaml")),
		answers("http://" + layout.ProxyHealth + "/healthz"),
	}
}

func (c *cluster) prometheus() component {
	return component{
		c.spec("prometheus", "prometheus",
			"--config.file="+c.State("config", "prometheus.yml"), "--storage.tsdb.path="+c.State("prometheus"),
			"--web.listen-address="+layout.Prometheus, "--storage.tsdb.retention.time=1d"),
		answers("http://" + layout.Prometheus + "/-/ready"),
	}
}

func (c *cluster) watcher() component {
	return component{
		process.Spec{Name: "pod-watcher", Path: c.Bin("cluster"), Args: []string{watchCommand, c.Dir}},
		func(context.Context) error {
			_, err := os.Stat(c.Targets())
			return err
		},
	}
}

func (c *cluster) traefik() component {
	s := process.Spec{Name: "traefik", Path: c.Bin("traefik"), Env: []string{"KUBECONFIG=" + c.Kubeconfig()}, Args: []string{
		"--global.checknewversion=false", "--global.sendanonymoususage=false",
		"--entrypoints.web.address=" + layout.Gateway, "--entrypoints.traefik.address=" + layout.GatewayAdmin,
		"--ping", "--metrics.prometheus", "--metrics.prometheus.addrouterslabels", "--log.level=INFO",
		"--providers.providersthrottleduration=100ms",
		"--providers.kubernetesgateway", "--providers.kubernetesgateway.qps=-1", "--providers.kubernetesgateway.statusaddress.ip=127.0.0.1",
		"--providers.kubernetescrd", "--providers.kubernetesingressnginx",
	}}
	return component{s, answers("http://" + layout.GatewayAdmin + "/ping")}
}

func (c *cluster) kubernetes(name string, args ...string) process.Spec {
	return process.Spec{Name: name, Path: c.Bin("kubernetes"), Args: append([]string{name}, args...)}
}

// spec is a program from the PATH.
func (c *cluster) spec(name, program string, args ...string) process.Spec {
	path, err := exec.LookPath(program)
	if err != nil {
		path = program // its start will say that it is missing
	}
	return process.Spec{Name: name, Path: path, Args: args}
}

func (c *cluster) credential(name string) string { return c.State("credentials", name) }

// Kubeconfig is the administrator's.
func (c *cluster) Kubeconfig() string { return c.credential(credentials.Kubeconfig) }

// Targets is the file that tells Prometheus of pods.
func (c *cluster) Targets() string { return c.State("targets", "pods.json") }

func unhealthy(name string, err error, log string) error {
	return fmt.Errorf("%s is not healthy: %w: see %s", name, err, log)
}
