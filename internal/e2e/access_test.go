package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/preflight"
)

// needed are the permissions that the documentation and preflight ask for, but for one verb of a resource.
func (s *shop) needed(withoutVerb, ofResource string) []preflight.Permission {
	all := preflight.Needed(preflight.Use{Namespace: s.namespace, Everything: true})
	for i, p := range all {
		if p.Resource == ofResource {
			all[i].Verbs = slices.DeleteFunc(slices.Clone(p.Verbs), func(v string) bool { return v == withoutVerb })
		}
	}
	return slices.DeleteFunc(all, func(p preflight.Permission) bool { return len(p.Verbs) == 0 })
}

// actAs makes a ServiceAccount that may do this and nothing else, and lets tidegate run as it.
func (s *shop) actAs(permissions []preflight.Permission) {
	s.t.Helper()
	binding := fmt.Sprintf(`
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: tidegate, namespace: %[1]s}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: tidegate, namespace: %[1]s}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: tidegate}
subjects: [{kind: ServiceAccount, name: tidegate, namespace: %[1]s}]
`, s.namespace)
	s.kubectl(preflight.RoleText(s.namespace, permissions)+binding, "apply", "-f", "-")
	token := strings.TrimSpace(s.kubectl("", "create", "token", "tidegate", "-n", s.namespace, "--duration=1h"))
	admin := s.kubectl("", "config", "view", "--raw", "--minify", "--flatten", "-o",
		"jsonpath={.clusters[0].cluster.server} {.clusters[0].cluster.certificate-authority-data}")
	server, authority, _ := strings.Cut(strings.TrimSpace(admin), " ")
	s.kubeconfig = filepath.Join(s.dir, "kubeconfig")
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "%s", certificate-authority-data: "%s"}}]
users: [{name: u, user: {token: "%s"}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
current-context: c
`, server, authority, token)
	if err := os.WriteFile(s.kubeconfig, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// TestAccess runs rollouts as somebody who may do only what is said to be needed.
func TestAccess(t *testing.T) {
	t.Parallel()
	s := open(t, layout{steps: "50%"})
	s.actAs(s.needed("", ""))
	s.deploy("v3").want(3)
	s.whole("v1")
	s.deploy("v2").want(0)
	s.whole("v2")
	s.run(0, "status")
}

// TestAccessMissing takes one verb away: nothing is touched, and what is missing is named.
func TestAccessMissing(t *testing.T) {
	for _, c := range []struct{ verb, resource string }{
		{"update", "httproutes"},
		{"create", "deployments"},
		{"get", "pods/log"},
		{"watch", "pods"},
		{"update", "leases"},
		{"list", "horizontalpodautoscalers"},
		{"get", "configmaps"},
	} {
		t.Run(c.verb+" "+strings.ReplaceAll(c.resource, "/", " "), func(t *testing.T) {
			t.Parallel()
			s := open(t, layout{steps: "50%", rate: 20})
			s.actAs(s.needed(c.verb, c.resource))
			p := s.deploy("v2")
			p.want(2)
			p.mentions(c.verb, c.resource)
			s.whole("v1")
			s.untouched()
		})
	}
}
