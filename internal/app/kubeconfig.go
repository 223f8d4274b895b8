package app

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
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
	if user.Exec != nil {
		return fmt.Errorf("user %q of the kubeconfig gets its token from the program %s (`exec`), which a kubeconfig given as content must not start; "+
			"make a token in an earlier step of the job and give a kubeconfig with `token`", in.AuthInfo, path.Base(user.Exec.Command))
	}
	if user.AuthProvider != nil {
		return fmt.Errorf("user %q of the kubeconfig uses the auth-provider %s, which Kubernetes has given up; give a kubeconfig with `token` or client "+
			"certificates", in.AuthInfo, user.AuthProvider.Name)
	}
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
