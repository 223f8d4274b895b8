package apiserver

import (
	"net/http"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/version"
)

// Version is what the server calls itself.
const serverVersion = "v1.34.4"

// serveDocument answers paths that describe the server; false when the path is none of them.
func (s *Server) serveDocument(w http.ResponseWriter, req *http.Request) bool {
	path := strings.Trim(req.URL.Path, "/")
	parts := strings.Split(path, "/")
	switch {
	case path == "healthz" || path == "readyz" || path == "livez":
		_, _ = w.Write([]byte("ok"))
	case path == "version":
		writeAny(w, http.StatusOK, version.Info{Major: "1", Minor: "34", GitVersion: serverVersion, Platform: "linux/amd64"})
	case path == "api":
		writeAny(w, http.StatusOK, metav1.APIVersions{TypeMeta: metav1.TypeMeta{Kind: "APIVersions"}, Versions: []string{"v1"}})
	case path == "apis":
		writeAny(w, http.StatusOK, s.groups())
	case parts[0] == "api" && len(parts) == 2:
		s.describe(w, "", parts[1])
	case parts[0] == "apis" && len(parts) == 3:
		s.describe(w, parts[1], parts[2])
	default:
		return false
	}
	return true
}

func (s *Server) groups() metav1.APIGroupList {
	list := metav1.APIGroupList{TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"}}
	at := map[string]int{}
	seen := map[string]bool{}
	for i := range s.table {
		gv := s.table[i].GVK().GroupVersion()
		if gv.Group == "" || seen[gv.String()] {
			continue
		}
		seen[gv.String()] = true
		v := metav1.GroupVersionForDiscovery{GroupVersion: gv.String(), Version: gv.Version}
		if n, ok := at[gv.Group]; ok {
			list.Groups[n].Versions = append(list.Groups[n].Versions, v)
			continue
		}
		at[gv.Group] = len(list.Groups)
		list.Groups = append(list.Groups, metav1.APIGroup{Name: gv.Group, Versions: []metav1.GroupVersionForDiscovery{v}, PreferredVersion: v})
	}
	return list
}

func (s *Server) describe(w http.ResponseWriter, group, ver string) {
	list := metav1.APIResourceList{TypeMeta: metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"}}
	for i := range s.table {
		r := &s.table[i]
		if r.Group != group || r.Version != ver {
			continue
		}
		list.GroupVersion = r.APIVersion()
		verbs := allVerbs()
		if r.Group == "authorization.k8s.io" {
			verbs = []string{"create"}
		}
		list.APIResources = append(list.APIResources, metav1.APIResource{
			Name: r.Plural, SingularName: r.singular(), Namespaced: !r.Cluster, Kind: r.Kind, ShortNames: r.Short, Verbs: verbs,
		})
		for _, sub := range r.subresources() {
			list.APIResources = append(list.APIResources, subresource(r, sub))
		}
	}
	if list.GroupVersion == "" {
		writeError(w, notServed())
		return
	}
	writeAny(w, http.StatusOK, list)
}

func subresource(r *Resource, sub string) metav1.APIResource {
	a := metav1.APIResource{Name: r.Plural + "/" + sub, Namespaced: !r.Cluster, Kind: r.Kind, Verbs: []string{"get", "patch", "update"}}
	switch sub {
	case "scale":
		a.Group, a.Version, a.Kind = "autoscaling", "v1", "Scale"
	case "log":
		a.Verbs = []string{"get"}
	}
	return a
}
