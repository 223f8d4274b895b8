package preflight

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Rule is a rule of a Role or ClusterRole.
type Rule struct {
	APIGroups []string `json:"apiGroups"`
	Resources []string `json:"resources"`
	Verbs     []string `json:"verbs"`
}

// Rules are the rules that grant permissions, those of the same group and verbs in one.
func Rules(permissions []Permission) []Rule {
	var rules []Rule
	for _, p := range permissions {
		same := func(r Rule) bool { return r.APIGroups[0] == p.Group && slices.Equal(r.Verbs, p.Verbs) }
		if i := slices.IndexFunc(rules, same); i >= 0 {
			if !slices.Contains(rules[i].Resources, p.Resource) {
				rules[i].Resources = append(rules[i].Resources, p.Resource)
			}
			continue
		}
		rules = append(rules, Rule{APIGroups: []string{p.Group}, Resources: []string{p.Resource}, Verbs: slices.Clone(p.Verbs)})
	}
	return rules
}

// RoleText is the YAML of a Role in this namespace, or of a ClusterRole when it is empty, that grants the permissions of
// that namespace. It is empty when there are none.
func RoleText(namespace string, permissions []Permission) string {
	rules := Rules(slices.DeleteFunc(slices.Clone(permissions), func(p Permission) bool { return p.Namespace != namespace }))
	if len(rules) == 0 {
		return ""
	}
	kind, meta := "ClusterRole", "{name: tidegate}"
	if namespace != "" {
		kind, meta = "Role", fmt.Sprintf("{name: tidegate, namespace: %s}", namespace)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: rbac.authorization.k8s.io/v1\nkind: %s\nmetadata: %s\nrules:\n", kind, meta)
	for _, r := range rules {
		b.WriteString(r.String())
	}
	return b.String()
}

// String is the rule as an item of a YAML list.
func (r Rule) String() string {
	return fmt.Sprintf("- apiGroups: [%q]\n  resources: [%s]\n  verbs: [%s]\n", r.APIGroups[0],
		strings.Join(r.Resources, ", "), strings.Join(r.Verbs, ", "))
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
