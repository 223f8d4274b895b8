package preflight

import (
	"slices"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
)

// set makes the world's workload a StatefulSet or DaemonSet that is healthy.
func set(kind string) func(*world) {
	return func(w *world) {
		w.patch("workload", `{kind: `+kind+`}`)
		if kind == kube.DaemonSet {
			w.patch("workload", `{spec: {replicas: null, updateStrategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}},
  status: {desiredNumberScheduled: 4, currentNumberScheduled: 4, updatedNumberScheduled: 4, numberReady: 4, numberAvailable: 4}}`)
		}
		w.deploy.Spec.Workload.Kind = strings.ToLower(kind)
	}
}

func exchanging(w *world) {
	w.deploy.Spec.Strategy = spec.Strategy{Recreate: &spec.Recreate{AcceptOutageOnCrash: true}}
}

func TestFindingsOfSets(t *testing.T) {
	hostPort := func(w *world) { w.container(`{ports: [{containerPort: 8080, hostPort: 8080}]}`) }
	for _, test := range []struct {
		name, kind       string
		strategy, change func(*world)
		want             string
	}{
		{"a healthy StatefulSet", kube.StatefulSet, rolling(1, 2), nil, ""},
		{"a healthy StatefulSet, at once", kube.StatefulSet, exchanging, nil, ""},
		{"a healthy DaemonSet", kube.DaemonSet, rolling(1), nil, ""},
		{"a healthy DaemonSet, at once", kube.DaemonSet, exchanging, nil, ""},
		{"a StatefulSet needs no room", kube.StatefulSet, rolling(2), adding(quotaOfOne), ""},
		{"a volume that goes with the pod", kube.StatefulSet, rolling(), claim("ReadWriteOnce"), ""},
		{"host ports of a StatefulSet", kube.StatefulSet, rolling(), hostPort, ""},
		{"host ports of a DaemonSet", kube.DaemonSet, rolling(1), hostPort, ""},
		{"host ports of a DaemonSet with a surge", kube.DaemonSet, rolling(), func(w *world) {
			hostPort(w)
			w.patch("workload", `{spec: {updateStrategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}}}`)
		}, "host-port"},
		{"a StatefulSet that is not whole", kube.StatefulSet, rolling(), patching("workload", `{status: {availableReplicas: 3}}`), "base-not-whole"},
		{"a DaemonSet that is not whole", kube.DaemonSet, rolling(), patching("workload", `{status: {numberAvailable: 3}}`), "base-not-whole"},
		{"a DaemonSet without nodes", kube.DaemonSet, rolling(), patching("workload", `{status: {desiredNumberScheduled: 0, currentNumberScheduled: 0,
  updatedNumberScheduled: 0, numberReady: 0, numberAvailable: 0}}`), "base-not-whole"},
		{"another workload's VPA", kube.StatefulSet, rolling(), adding(`{apiVersion: autoscaling.k8s.io/v1, kind: VerticalPodAutoscaler, metadata: {name: v, namespace: shop},
  spec: {targetRef: {apiVersion: apps/v1, kind: Deployment, name: checkout}}}`), ""},
		{"its own VPA", kube.StatefulSet, rolling(), adding(`{apiVersion: autoscaling.k8s.io/v1, kind: VerticalPodAutoscaler, metadata: {name: v, namespace: shop},
  spec: {targetRef: {apiVersion: apps/v1, kind: StatefulSet, name: checkout}}}`), "vertical-autoscaler"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			set(test.kind)(w)
			test.strategy(w)
			if test.change != nil {
				test.change(w)
			}
			o, _, p := w.compiled()
			var found []string
			for _, f := range Judge(o, p) {
				found = append(found, f.Name)
				if strings.Contains(f.String(), "deployment/") {
					t.Errorf("it speaks of a Deployment: %s", f)
				}
			}
			if strings.Join(found, " ") != test.want {
				t.Errorf("found %v, want %q", found, test.want)
			}
		})
	}
}

// TestGitOpsOfSets: the fields that change are named as the kind has them.
func TestGitOpsOfSets(t *testing.T) {
	for _, test := range []struct {
		name, kind, want string
		strategy         func(*world)
	}{
		{"a StatefulSet", kube.StatefulSet, "/spec/template, /spec/updateStrategy, /spec/minReadySeconds", rolling(1)},
		{"a StatefulSet, at once", kube.StatefulSet, "/spec/template, /spec/replicas", exchanging},
		{"a DaemonSet", kube.DaemonSet, "/spec/template, /spec/updateStrategy, /spec/minReadySeconds", rolling(1)},
		{"a DaemonSet, at once", kube.DaemonSet, "/spec/template", exchanging},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			set(test.kind)(w)
			test.strategy(w)
			w.patch("workload", `{metadata: {labels: {argocd.argoproj.io/instance: shop}}}`)
			o, _, p := w.compiled()
			text := ""
			for _, f := range Judge(o, p) {
				text += f.String()
			}
			if !strings.Contains(text, "jsonPointers: ["+test.want+"]") {
				t.Errorf("%q is not what is named in %s", test.want, text)
			}
		})
	}
}

// TestScalerOfSets: an autoscaler of a Deployment with the same name is another workload's.
func TestScalerOfSets(t *testing.T) {
	for _, test := range []struct {
		name, kind string
		want       bool
	}{{"its own", "StatefulSet", true}, {"a Deployment's", "Deployment", false}} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			set(kube.StatefulSet)(w)
			rolling(1)(w)
			w.add(strings.Replace(hpa("checkout", ""), "kind: Deployment", "kind: "+test.kind, 1))
			if o, err := w.observe(); err != nil || (o.Baseline.Scaler != nil) != test.want {
				t.Errorf("scaler %v, %v", o.Baseline.Scaler, err)
			}
		})
	}
}

// TestNeededForSets: the workload by its kind, its revisions, and its pods where they have to be deleted; nothing of Deployments.
func TestNeededForSets(t *testing.T) {
	for _, test := range []struct {
		name, kind, resource string
		deletes              bool
	}{
		{"a Deployment", kube.Deployment, "deployments", false}, {"a StatefulSet", kube.StatefulSet, "statefulsets", true}, {"a DaemonSet", kube.DaemonSet, "daemonsets", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			deletes := false
			var apps []string
			for _, p := range Needed(Use{Namespace: "shop", Workload: "checkout", Kind: test.kind, InPlace: true}) {
				deletes = deletes || p.Resource == "pods" && slices.Contains(p.Verbs, "delete")
				if p.Group == "apps" {
					apps = append(apps, p.Resource)
				}
			}
			versions := "controllerrevisions"
			if !test.deletes {
				versions = "replicasets"
			}
			if deletes != test.deletes || !slices.Equal(apps, []string{test.resource, versions}) {
				t.Errorf("pods may be deleted: %t; of apps: %v", deletes, apps)
			}
		})
	}
}

// TestWrongKind: a workload of the name but of another kind is none.
func TestWrongKind(t *testing.T) {
	w := newWorld(t)
	rolling()(w)
	w.deploy.Spec.Workload.Kind = spec.KindDaemonSet
	if _, err := w.observe(); err == nil || !strings.Contains(err.Error(), "namespace shop has no DaemonSet checkout") {
		t.Errorf("error %v", err)
	}
	w = newWorld(t)
	set(kube.StatefulSet)(w)
	rolling()(w)
	if o, err := w.observe(); err != nil || plan.RefOf(o.Baseline.Workload).Kind != kube.StatefulSet || o.Baseline.Size != 4 {
		t.Errorf("%v, %v", plan.RefOf(o.Baseline.Workload), err)
	}
}
