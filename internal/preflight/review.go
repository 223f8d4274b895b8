package preflight

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
)

// review finds the permissions that are missing, each cut down to its missing verbs.
func review(ctx context.Context, client *kube.Client, needed []Permission) (missing []Permission, err error) {
	byNamespace := map[string][]Permission{}
	for _, p := range needed {
		if p.Namespace != "" { // what belongs to no namespace is optional, and noticed when it is read
			byNamespace[p.Namespace] = append(byNamespace[p.Namespace], p)
		}
	}
	for _, namespace := range sortedKeys(byNamespace) {
		lacking, err := reviewNamespace(ctx, client, namespace, byNamespace[namespace])
		if err != nil {
			return nil, err
		}
		missing = append(missing, lacking...)
	}
	return missing, nil
}

func reviewNamespace(ctx context.Context, client *kube.Client, namespace string, needed []Permission) ([]Permission, error) {
	answer, err := client.Create(ctx, plan.Object{
		"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": plan.Object{"namespace": namespace},
	})
	if err != nil {
		return nil, fmt.Errorf("ask what is allowed in namespace %s: %w", namespace, err)
	}
	rules := listAt(answer.Object, "status", "resourceRules")
	missing := lacking(needed, func(p Permission, verb string) bool { return granted(rules, p, verb) })
	if len(missing) == 0 || !flagAt(answer.Object, "status", "incomplete") {
		return missing, nil
	}
	return ask(ctx, client, missing)
}

// ask has the server judge each permission of which its list of rules is not sure, unless everything is allowed.
func ask(ctx context.Context, client *kube.Client, doubtful []Permission) ([]Permission, error) {
	everything := Permission{Group: "*", Resource: "*", Namespace: doubtful[0].Namespace}
	if all, err := allowed(ctx, client, everything, "*"); all || err != nil {
		return nil, err
	}
	var failed error
	missing := lacking(doubtful, func(p Permission, verb string) bool {
		ok, err := allowed(ctx, client, p, verb)
		failed = errors.Join(failed, err)
		return ok
	})
	return missing, failed
}

func allowed(ctx context.Context, client *kube.Client, p Permission, verb string) (bool, error) {
	resource, sub, _ := strings.Cut(p.Resource, "/")
	answer, err := client.Create(ctx, plan.Object{
		"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": plan.Object{"resourceAttributes": plan.Object{
			"namespace": p.Namespace, "verb": verb, "group": p.Group, "resource": resource, "subresource": sub,
		}},
	})
	if err != nil {
		return false, fmt.Errorf("ask whether %s of %s is allowed: %w", verb, p.Resource, err)
	}
	return flagAt(answer.Object, "status", "allowed"), nil
}

// lacking cuts permissions down to the verbs that are not granted.
func lacking(needed []Permission, granted func(p Permission, verb string) bool) []Permission {
	var missing []Permission
	for _, p := range needed {
		verbs := slices.DeleteFunc(slices.Clone(p.Verbs), func(verb string) bool { return granted(p, verb) })
		if len(verbs) > 0 {
			p.Verbs = verbs
			missing = append(missing, p)
		}
	}
	return missing
}

// granted tells whether the rules of a review allow a verb, for each of the permission's names where a rule may be
// limited to names.
func granted(rules []plan.Object, p Permission, verb string) bool {
	if slices.ContainsFunc(rules, func(r plan.Object) bool { return len(textsAt(r, "resourceNames")) == 0 && covers(r, p, verb) }) {
		return true
	}
	if len(p.Names) == 0 || verb == "list" || verb == "create" {
		return false
	}
	for _, name := range p.Names {
		if !slices.ContainsFunc(rules, func(r plan.Object) bool {
			return slices.Contains(textsAt(r, "resourceNames"), name) && covers(r, p, verb)
		}) {
			return false
		}
	}
	return true
}

func covers(rule plan.Object, p Permission, verb string) bool {
	has := func(field string, wanted ...string) bool {
		return slices.ContainsFunc(textsAt(rule, field), func(s string) bool { return s == "*" || slices.Contains(wanted, s) })
	}
	resources := []string{p.Resource}
	if _, sub, ok := strings.Cut(p.Resource, "/"); ok {
		resources = append(resources, "*/"+sub)
	}
	return has("verbs", verb) && has("apiGroups", p.Group) && has("resources", resources...)
}

// permissions is the finding for what is missing.
func permissions(missing []Permission) Findings {
	var needed []Permission
	var all Findings
	for _, p := range missing {
		switch {
		case !p.Optional:
			needed = append(needed, p)
		case p.Resource == "events":
			all = append(all, finding("no-events", "events", "Grant it:\n"+indent(Rules([]Permission{p})[0].String()),
				"Tidegate may not %s events, so they are missing in its reports and in kubectl describe", strings.Join(p.Verbs, ", ")))
		}
	}
	for _, namespace := range namespacesOf(needed) {
		here := slices.DeleteFunc(slices.Clone(needed), func(p Permission) bool { return p.Namespace != namespace })
		var words []string
		for _, p := range here {
			words = append(words, strings.Join(p.Verbs, ", ")+" "+p.Resource)
		}
		all = append(all, finding("permissions", "Namespace/"+namespace, "Grant them, for instance by\n"+indent(RoleText(namespace, here)),
			"Tidegate's user may not: %s", strings.Join(words, "; ")))
	}
	return all
}

func namespacesOf(list []Permission) []string {
	var all []string
	for _, p := range list {
		if !slices.Contains(all, p.Namespace) {
			all = append(all, p.Namespace)
		}
	}
	return all
}

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n    ")
}

// explain turns a read that was forbidden into all that is missing.
func explain(ctx context.Context, client *kube.Client, d spec.Deploy, namespace string, cause error) error {
	use := Use{Namespace: namespace, InPlace: d.Spec.Strategy.InPlace(),
		ByReplicas: d.Spec.Strategy.Canary != nil && d.Spec.Traffic == nil}
	if d.Spec.MovesService() {
		use.Switched = d.Spec.Service // where it is not named nobody knows it yet
	}
	if router := routerOf(d); router != nil {
		use.Routes, use.Lists = router.Routes(*d.Spec.Traffic, namespace), routeLists(d, namespace)
	}
	missing, err := review(ctx, client, Needed(use))
	if err == nil {
		err = permissions(missing).Err()
	}
	if err == nil || apierrors.IsForbidden(err) {
		return fmt.Errorf("%w; grant it to the user that Tidegate runs as", cause)
	}
	return err
}
