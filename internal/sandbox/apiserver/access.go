package apiserver

import (
	"net/http"
	"slices"
)

// review answers the two questions that a client asks about itself.
func (s *Server) review(q *request, object map[string]any) (document, int, error) {
	object["apiVersion"], object["kind"] = q.res.APIVersion(), q.res.Kind
	s.mu.Lock()
	deny := s.deny
	s.mu.Unlock()
	if deny == nil {
		deny = func(_, _, _, _, _ string) bool { return false }
	}
	if q.res.Plural == "selfsubjectrulesreviews" {
		object["status"] = map[string]any{
			"incomplete": false, "nonResourceRules": []any{},
			"resourceRules": s.rules(deny, stringAt(object, "spec", "namespace")),
		}
	} else {
		a := mapAt(object, "spec", "resourceAttributes")
		target := stringAt(a, "resource")
		if sub := stringAt(a, "subresource"); sub != "" {
			target += "/" + sub
		}
		object["status"] = map[string]any{
			"allowed": !deny(stringAt(a, "verb"), stringAt(a, "group"), target, stringAt(a, "namespace"), stringAt(a, "name")),
		}
	}
	data, err := marshal(object)
	return text(data), http.StatusCreated, err
}

// rules lists what is allowed in a namespace, one rule per resource and subresource.
func (s *Server) rules(deny func(verb, group, resource, namespace, name string) bool, namespace string) []any {
	var rules []any
	for i := range s.table {
		r := &s.table[i]
		targets := []string{r.Plural}
		for _, sub := range r.subresources() {
			targets = append(targets, r.Plural+"/"+sub)
		}
		for _, target := range targets {
			denied := func(verb string) bool { return deny(verb, r.Group, target, namespace, "") }
			verbs := slices.DeleteFunc(slices.Clone(allVerbs()), denied)
			if len(verbs) > 0 {
				rules = append(rules, map[string]any{"verbs": anys(verbs), "apiGroups": []any{r.Group}, "resources": []any{target}})
			}
		}
	}
	return rules
}

func allVerbs() []string {
	return []string{"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}
}

func anys(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

// reviews are the resources that are only asked, never stored.
func reviews() []Resource {
	return []Resource{
		{Group: "authorization.k8s.io", Version: "v1", Plural: "selfsubjectaccessreviews", Kind: "SelfSubjectAccessReview", Cluster: true},
		{Group: "authorization.k8s.io", Version: "v1", Plural: "selfsubjectrulesreviews", Kind: "SelfSubjectRulesReview", Cluster: true},
	}
}
