package preflight

import (
	"fmt"
	"strings"

	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/traffic/ingressnginx"
)

// checkWorkload looks at the settings of the workload, and at who else changes it.
func checkWorkload(o Observed, p plan.Plan) Findings {
	var all Findings
	object, name := about(o.workload), nameOf(o.workload)
	if flagAt(o.workload, "spec", "paused") {
		all = append(all, finding("paused", object, fmt.Sprintf("kubectl rollout resume deployment/%s -n %s", name, o.namespace),
			"it is paused, so that it would never take the new version over"))
	}
	if n, ok := numberAt(o.workload, "spec", "revisionHistoryLimit"); ok && n == 0 {
		all = append(all, finding("no-revision-history", object, "Set spec.revisionHistoryLimit to 2 or more",
			"revisionHistoryLimit is 0: kubectl rollout undo would find nothing"))
	}
	if textAt(o.workload, "spec", "strategy", "type") == "Recreate" && !p.Objects.InPlace() && !p.Objects.ByReplicas() && !p.Objects.Traffic.BySelector() {
		all = append(all, finding("recreate", object, "Use RollingUpdate if two versions may run at once, as they do in this rollout anyway",
			"its strategy is Recreate: callers of the Service itself, past the route, meet an outage when the base takes the new version over"))
	}
	for _, owner := range listAt(o.workload, "metadata", "ownerReferences") {
		all = append(all, finding("owned", object, fmt.Sprintf("Set the image where %s/%s gets it from, or take the workload out of its hands",
			textAt(owner, "kind"), textAt(owner, "name")),
			"%s/%s (%s) owns it and may change it back", textAt(owner, "kind"), textAt(owner, "name"), textAt(owner, "apiVersion")))
	}
	return append(all, checkVertical(o)...)
}

func checkVertical(o Observed) Findings {
	var all Findings
	for _, v := range o.verticals {
		mode := textAt(v, "spec", "updatePolicy", "updateMode")
		if textAt(v, "spec", "targetRef", "kind") != textAt(o.workload, "kind") || textAt(v, "spec", "targetRef", "name") != nameOf(o.workload) ||
			mode == "Off" || mode == "Initial" {
			continue
		}
		if mode == "" {
			mode = "Auto"
		}
		all = append(all, finding("vertical-autoscaler", about(v), "Set its updateMode to Initial or Off for the time of the rollout",
			"its mode is %s: it may restart pods of the base during the rollout, and it does not size the candidate", mode))
	}
	return all
}

// checkGitOps finds the tools that would change back what the rollout changes.
func checkGitOps(o Observed, p plan.Plan) Findings {
	var all Findings
	type change struct {
		object plan.Object
		fields string // that the rollout changes, as JSON pointers
	}
	changed := []change{{o.workload, "/spec/template"}}
	if p.Objects.InPlace() {
		changed[0].fields += settings(textAt(o.workload, "kind"), p)
	}
	if p.Objects.ByReplicas() {
		changed[0].fields += ", /spec/replicas"
	}
	if !p.Objects.InPlace() || p.Objects.Scaler != nil {
		changed = append(changed, change{o.Baseline.Scaler, bounds(o.scaler.Kind, p)})
	}
	for _, r := range o.routes {
		if p.Objects.Traffic == nil || p.Objects.Traffic.Router != ingressnginx.Name { // those stay as they are
			changed = append(changed, change{r, "/spec/rules"})
		}
	}
	if p.Objects.Traffic.BySelector() {
		changed = append(changed, change{o.service, "/spec/selector"})
	}
	for _, c := range changed {
		if f, ok := gitOps(c.object, c.fields); ok {
			all = append(all, f)
		}
	}
	if release, ok := helm(o.workload); ok {
		all = append(all, finding("helm", about(o.workload), "Set the image in the values of the release too, before its next upgrade",
			"the Helm release %s manages it: the next helm upgrade brings the image of its values", release))
	}
	return all
}

// settings are the fields of a workload that a rollout in place changes beside the template.
func settings(kind string, p plan.Plan) string {
	switch {
	case kind == kube.Deployment:
		return ", /spec/strategy, /spec/minReadySeconds, /spec/progressDeadlineSeconds"
	case !recreates(p):
		return ", /spec/updateStrategy, /spec/minReadySeconds"
	case kind == kube.StatefulSet:
		return ", /spec/replicas"
	}
	return ""
}

// bounds are the fields of a scaler that the rollout changes: in place and by replicas it holds both.
func bounds(kind string, p plan.Plan) string {
	least, most := "/spec/minReplicas", "/spec/maxReplicas"
	if kind == "ScaledObject" {
		least, most = "/spec/minReplicaCount", "/spec/maxReplicaCount"
	}
	if p.Objects.InPlace() || p.Objects.ByReplicas() {
		return least + ", " + most
	}
	return least
}

func gitOps(object plan.Object, field string) (Finding, bool) {
	labels, annotations := labelsAt(object, "metadata", "labels"), labelsAt(object, "metadata", "annotations")
	ref := plan.RefOf(object)
	if app := argoApplication(ref, labels, annotations); app != "" {
		return finding("gitops", ref.String(), argoRemedy(ref, field),
			"Argo CD's application %s keeps it as it is in git, and would change %s back", app, field), true
	}
	for _, tool := range []struct{ prefix, kind, remedy string }{
		{"kustomize.toolkit.fluxcd.io/", "Kustomization", "Run `flux suspend kustomization %[1]s -n %[2]s` for the time of the rollout and commit the new image " +
			"before `flux resume`, or annotate the object in git with kustomize.toolkit.fluxcd.io/ssa: IfNotPresent"},
		{"helm.toolkit.fluxcd.io/", "HelmRelease", "Run `flux suspend helmrelease %[1]s -n %[2]s` for the time of the rollout and commit the new image before " +
			"`flux resume`, or let the HelmRelease ignore the field: spec.driftDetection.ignore: [{paths: [%[3]s], target: {kind: %[4]s, name: %[5]s}}]"},
	} {
		name, namespace := labels[tool.prefix+"name"], labels[tool.prefix+"namespace"]
		ssa := annotations[tool.prefix+"ssa"]
		if name == "" || annotations[tool.prefix+"reconcile"] == "disabled" || ssa == "IfNotPresent" || ssa == "Ignore" {
			continue
		}
		return finding("gitops", ref.String(), sprintf(tool.remedy, name, namespace, field, ref.Kind, ref.Name),
			"Flux's %s %s/%s keeps it as it is in git, and would change %s back", tool.kind, namespace, name, field), true
	}
	return Finding{}, false
}

// sprintf fills in a text that uses some of its arguments by number.
func sprintf(text string, args ...string) string {
	for i, arg := range args {
		text = strings.ReplaceAll(text, fmt.Sprintf("%%[%d]s", i+1), arg)
	}
	return text
}

// argoApplication reads Argo CD's tracking: a label, or an annotation <application>:<group>/<kind>:<namespace>/<name>
// (ignored when it speaks of another object: then it was copied).
func argoApplication(ref plan.Ref, labels, annotations map[string]string) string {
	app, rest, ok := strings.Cut(annotations["argocd.argoproj.io/tracking-id"], ":")
	if ok && strings.HasSuffix(rest, ref.Kind+":"+ref.Namespace+"/"+ref.Name) {
		return app
	}
	return labels["argocd.argoproj.io/instance"]
}

func argoRemedy(ref plan.Ref, field string) string {
	group, _, found := strings.Cut(ref.APIVersion, "/")
	if !found {
		group = ""
	}
	return fmt.Sprintf("Give the Application the sync option RespectIgnoreDifferences=true and\n"+
		"    ignoreDifferences:\n    - {group: %q, kind: %s, namespace: %s, name: %s, jsonPointers: [%s]}\n"+
		"  or switch its self-healing off and commit the new image when the rollout is done", group, ref.Kind, ref.Namespace, ref.Name, field)
}

// helm is the release that manages an object, unless a GitOps tool does by Helm.
func helm(object plan.Object) (release string, ok bool) {
	labels := labelsAt(object, "metadata", "labels")
	if labels["app.kubernetes.io/managed-by"] != "Helm" || labels["helm.toolkit.fluxcd.io/name"] != "" {
		return "", false
	}
	release = labelsAt(object, "metadata", "annotations")["meta.helm.sh/release-name"]
	if release == "" {
		release = "(unnamed)"
	}
	return release, true
}
