package app

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"path"
	"slices"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/tidegate/tidegate/internal/cloud"
)

// loadConfig finds the cluster: an embedded one, the kubeconfig that was named, KUBECONFIG, ~/.kube/config, or the
// pod's own account.
func loadConfig(o Options) (*rest.Config, string, error) {
	if o.Config != nil {
		return o.Config, "", nil
	}
	context := firstOf(o.Context, o.Deploy.Spec.Context)
	loader, err := kubeconfig(o, context)
	if err != nil {
		return nil, "", &Invalid{err}
	}
	raw, err := loader.RawConfig()
	if err != nil {
		return nil, "", invalid("the kubeconfig cannot be read: %w", err)
	}
	if o.Secrets != nil {
		o.Secrets(secretsOf(raw))
	}
	if context != "" && raw.Contexts[context] == nil {
		return nil, "", invalid("the kubeconfig has no context %q; it has %s", context, contexts(raw.Contexts))
	}
	config, err := loader.ClientConfig()
	if err != nil {
		if clientcmd.IsEmptyConfig(err) {
			return nil, "", invalid("no cluster is configured: give --kubeconfig, set KUBECONFIG, or run inside a cluster")
		}
		return nil, "", invalid("the kubeconfig cannot be used: %w", err)
	}
	if secrets := withBase64(secretsOf(raw)); len(secrets) > 0 {
		config.Wrap(func(next http.RoundTripper) http.RoundTripper { return &discreet{next: next, secrets: secrets} })
	}
	if err := tokens(o, config); err != nil {
		return nil, "", &Invalid{err}
	}
	namespace, _, _ := loader.Namespace()
	return config, namespace, nil
}

func contexts(known map[string]*clientcmdapi.Context) string {
	if len(known) == 0 {
		return "none"
	}
	return strings.Join(slices.Sorted(maps.Keys(known)), ", ")
}

// kubeconfig is the loader of the kubeconfig that is meant: its content, the path that was named, or what is found.
func kubeconfig(o Options, context string) (clientcmd.ClientConfig, error) {
	overrides := &clientcmd.ConfigOverrides{CurrentContext: context}
	if len(o.KubeconfigText) == 0 {
		rules := clientcmd.NewDefaultClientConfigLoadingRules()
		rules.ExplicitPath = o.Kubeconfig
		return clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides), nil
	}
	config, err := clientcmd.Load(o.KubeconfigText)
	if err != nil {
		return nil, fmt.Errorf("the kubeconfig cannot be read: %w", err)
	}
	if err := selfContained(config, firstOf(context, config.CurrentContext)); err != nil {
		return nil, err
	}
	return clientcmd.NewDefaultClientConfig(*config, overrides), nil
}

// selfContained refuses what a kubeconfig given as content cannot bring along: files, and programs to run. Content may
// come from anywhere, so a program that it names is never run.
func selfContained(config *clientcmdapi.Config, context string) error {
	in := config.Contexts[context]
	if in == nil {
		return nil // said by who looks for the context
	}
	if c := config.Clusters[in.Cluster]; c != nil && c.CertificateAuthority != "" {
		return outside("cluster", in.Cluster, "certificate-authority", c.CertificateAuthority)
	}
	user := config.AuthInfos[in.AuthInfo]
	if user == nil {
		return nil
	}
	for field, file := range map[string]string{"client-certificate": user.ClientCertificate, "client-key": user.ClientKey, "tokenFile": user.TokenFile} {
		if file != "" {
			return outside("user", in.AuthInfo, field, file)
		}
	}
	if user.Exec != nil && !cloud.Known(user.Exec.Command) {
		return fmt.Errorf("user %q of the kubeconfig gets its token from the program %s (`exec`), which a kubeconfig given as content must not start; "+
			"make a token in an earlier step of the job and give a kubeconfig with `token` (only the tokens of %s are made here)", in.AuthInfo,
			path.Base(user.Exec.Command), strings.Join(cloud.Programs(), ", "))
	}
	if user.AuthProvider != nil {
		return fmt.Errorf("user %q of the kubeconfig uses the auth-provider %s, which Kubernetes has given up; give a kubeconfig with `token` or client "+
			"certificates", in.AuthInfo, user.AuthProvider.Name)
	}
	return nil
}

// tokens makes the tokens of a cloud's cluster here where the kubeconfig names a program for it that is not on this machine,
// or that must not be run because the kubeconfig was given as content.
func tokens(o Options, config *rest.Config) error {
	plugin := config.ExecProvider
	if plugin == nil || !cloud.Known(plugin.Command) {
		return nil
	}
	if _, err := exec.LookPath(plugin.Command); err == nil && len(o.KubeconfigText) == 0 {
		return nil
	}
	env := map[string]string{}
	for _, e := range plugin.Env {
		env[e.Name] = e.Value
	}
	source, err := cloud.New(cloud.Plugin{Command: plugin.Command, Args: plugin.Args, Env: env, Getenv: o.Getenv, Clock: o.Clock})
	if err != nil {
		return err
	}
	config.ExecProvider = nil
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return cloud.Transport(source, o.Clock, o.Secrets, next)
	})
	return nil
}

func outside(kind, name, field, file string) error {
	return fmt.Errorf("%s %q of the kubeconfig names the file %s in `%s`, which is not part of what was given; make one whole with "+
		"`kubectl config view --raw --flatten --minify`", kind, name, file, field)
}

// secretsOf are the values of a kubeconfig that nobody should read.
func secretsOf(config clientcmdapi.Config) []string {
	var all []string
	for _, user := range config.AuthInfos {
		all = append(all, user.Token, user.Password, string(user.ClientKeyData), base64.StdEncoding.EncodeToString(user.ClientKeyData))
		if user.Password != "" {
			all = append(all, base64.StdEncoding.EncodeToString([]byte(user.Username+":"+user.Password))) // as it is sent
		}
		if user.AuthProvider != nil {
			all = append(all, slices.Collect(maps.Values(user.AuthProvider.Config))...)
		}
		if user.Exec != nil {
			for _, env := range user.Exec.Env {
				all = append(all, env.Value)
			}
		}
	}
	return slices.DeleteFunc(all, func(s string) bool { return len(s) < shortestSecret })
}

// shortestSecret is the length below which masking a value would only garble what is printed.
const shortestSecret = 4

// explain adds to an error of a cluster that cannot be reached what a container hides from its user.
func (s *session) explain(err error) error {
	var address *net.OpError
	if !s.InContainer || !errors.As(err, &address) || address.Op != "dial" {
		return err
	}
	host, err2 := url.Parse(s.config.Host)
	if err2 != nil || !local(host.Hostname()) {
		return err
	}
	return fmt.Errorf("%w\nThe kubeconfig's server is %s, and in the Action's container that is the container itself, not the runner. "+
		"Give the cluster an address that can be reached from outside the runner, or run the binary in a step of its own", err, s.config.Host)
}

func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
