package plan

import (
	"slices"
	"strings"
)

// tracking are the prefixes of labels and annotations by which other tools own objects.
func tracking() []string {
	return []string{
		"app.kubernetes.io/instance", "app.kubernetes.io/managed-by", "argocd.argoproj.io/", "kustomize.toolkit.fluxcd.io/",
		"helm.toolkit.fluxcd.io/", "meta.helm.sh/", "helm.sh/", "kubectl.kubernetes.io/last-applied-configuration",
		"deployment.kubernetes.io/", "objectset.rio.cattle.io/", "kapp.k14s.io/", "tidegate.dev/",
	}
}

// Untracked are the labels or annotations of an object but for those by which GitOps tools and Helm own it: they would prune
// a copy. It is nil when none is left.
func Untracked(m map[string]string) map[string]string {
	kept := map[string]string{}
	for key, value := range m {
		if !slices.ContainsFunc(tracking(), func(p string) bool { return strings.HasPrefix(key, p) }) {
			kept[key] = value
		}
	}
	if len(kept) == 0 {
		return nil
	}
	return kept
}
