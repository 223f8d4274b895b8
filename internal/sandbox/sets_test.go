package sandbox_test

import (
	"fmt"
	sorts "slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tidegate/tidegate/internal/sandbox"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
)

var (
	statefulSets = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "statefulsets"}
	daemonSets   = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "daemonsets"}
)

// aSet is a StatefulSet or DaemonSet with fields of its own.
func aSet(kind, image, fields string) string {
	return fmt.Sprintf(`
apiVersion: apps/v1
kind: %s
metadata: {name: app}
spec:
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec: {containers: [{name: app, image: %q}]}
%s`, kind, image, fields)
}

// running are the pods that stay, as name=image, or on=image for a DaemonSet's, in order; those that are not ready with a mark.
func (w world) running() []string {
	var all []string
	for _, p := range w.API().Store().View(pods.GroupResource(), "default") {
		if p.GetDeletionTimestamp() != nil {
			continue
		}
		name := p.GetName()
		if p.GetOwnerReferences()[0].Kind == "DaemonSet" {
			name, _, _ = unstructured.NestedString(p.Object, "spec", "nodeName")
		}
		containers, _, _ := unstructured.NestedSlice(p.Object, "spec", "containers")
		text := fmt.Sprintf("%s=%v", name, containers[0].(map[string]any)["image"])
		conditions, _, _ := unstructured.NestedSlice(p.Object, "status", "conditions")
		if !sorts.ContainsFunc(conditions, func(c any) bool { m := c.(map[string]any); return m["type"] == "Ready" && m["status"] == "True" }) {
			text += "!"
		}
		all = append(all, text)
	}
	sorts.Sort(all)
	return all
}

// TestSets: what kube-controller-manager makes of a StatefulSet and a DaemonSet when their template changes.
func TestSets(t *testing.T) {
	const three = "  replicas: 3\n"
	for _, tc := range []struct {
		name, kind string
		fields     string   // from the beginning
		then       []string // images and fields that are applied one after the other, as image + fields
		want       string
	}{
		{"ordinals", "StatefulSet", three, nil, "app-0=app:v1 app-1=app:v1 app-2=app:v1"},
		{"a new version", "StatefulSet", three, []string{"app:v2" + three}, "app-0=app:v2 app-1=app:v2 app-2=app:v2"},
		{"a partition", "StatefulSet", three, []string{"app:v2" + three + "  updateStrategy: {rollingUpdate: {partition: 1}}\n"},
			"app-0=app:v1 app-1=app:v2 app-2=app:v2"},
		{"OnDelete", "StatefulSet", three + "  updateStrategy: {type: OnDelete}\n", []string{"app:v2" + three + "  updateStrategy: {type: OnDelete}\n"},
			"app-0=app:v1 app-1=app:v1 app-2=app:v1"},
		{"a bad version", "StatefulSet", three, []string{"app:unready" + three}, "app-0=app:v1 app-1=app:v1 app-2=app:unready!"},
		{"a bad version, and back: it is stuck", "StatefulSet", three, []string{"app:unready" + three, "app:v1" + three},
			"app-0=app:v1 app-1=app:v1 app-2=app:unready!"},
		{"a bad version, and back, in parallel", "StatefulSet", three + "  podManagementPolicy: Parallel\n",
			[]string{"app:unready" + three + "  podManagementPolicy: Parallel\n", "app:v1" + three + "  podManagementPolicy: Parallel\n"},
			"app-0=app:v1 app-1=app:v1 app-2=app:v1"},
		{"none", "StatefulSet", three, []string{"app:v1  replicas: 0\n"}, ""},
		{"a pod on each node", "DaemonSet", "", nil, "sandbox-2=app:v1 sandbox-3=app:v1 sandbox=app:v1"},
		{"a new version on each", "DaemonSet", "", []string{"app:v2"}, "sandbox-2=app:v2 sandbox-3=app:v2 sandbox=app:v2"},
		{"a surge", "DaemonSet", "  updateStrategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}\n",
			[]string{"app:v2  updateStrategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}\n"}, "sandbox-2=app:v2 sandbox-3=app:v2 sandbox=app:v2"},
		{"OnDelete on each", "DaemonSet", "  updateStrategy: {type: OnDelete}\n", []string{"app:v2  updateStrategy: {type: OnDelete}\n"},
			"sandbox-2=app:v1 sandbox-3=app:v1 sandbox=app:v1"},
		{"a bad version on one", "DaemonSet", "", []string{"app:unready"}, "sandbox-2=app:v1 sandbox-3=app:v1 sandbox=app:unready!"},
		{"and back", "DaemonSet", "", []string{"app:unready", "app:v1"}, "sandbox-2=app:v1 sandbox-3=app:v1 sandbox=app:v1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := start(t, sandbox.Options{Nodes: 3})
				apply := func(text string) {
					if err := w.Apply(t.Context(), text); err != nil {
						t.Fatal(err)
					}
					time.Sleep(time.Minute)
				}
				apply(aSet(tc.kind, "app:v1", tc.fields))
				for _, next := range tc.then {
					image, fields, _ := strings.Cut(next, "  ")
					if fields != "" {
						fields = "  " + fields
					}
					apply(aSet(tc.kind, image, fields))
				}
				if got := strings.Join(w.running(), " "); got != tc.want {
					t.Errorf("%s\nwant %s", got, tc.want)
				}
			})
		})
	}
}

// TestSetsOneByOne: a StatefulSet takes the highest ordinal first and misses one pod at a time; its status tells when it is through.
func TestSetsOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, sandbox.Options{})
		for _, image := range []string{"app:v1", "app:v2"} {
			if err := w.Apply(t.Context(), aSet("StatefulSet", image, "  replicas: 3\n")); err != nil {
				t.Fatal(err)
			}
			if image == "app:v1" {
				time.Sleep(time.Minute)
				w.API().OnWrite(func(apiserver.Write) {
					if all := w.running(); len(all) < 2 || all[0] == "app-0=app:v2" && !sorts.Contains(all, "app-2=app:v2") {
						t.Errorf("pods: %v", all)
					}
				})
			}
		}
		time.Sleep(time.Minute)
		s := w.API().Store().Peek(statefulSets.GroupResource(), "default", "app").Object["status"].(map[string]any)
		if s["updatedReplicas"] != int64(3) || s["readyReplicas"] != int64(3) || s["currentRevision"] != s["updateRevision"] {
			t.Errorf("status %v", s)
		}
	})
}

// TestDaemonStops: a node selector that no node fits leaves no pods, and none that are wanted.
func TestDaemonStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, sandbox.Options{Nodes: 3})
		text := aSet("DaemonSet", "app:v1", "")
		for _, next := range []string{text, strings.Replace(text, "spec: {containers", `spec: {nodeSelector: {none: "true"}, containers`, 1)} {
			if err := w.Apply(t.Context(), next); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		s := w.API().Store().Peek(daemonSets.GroupResource(), "default", "app").Object["status"].(map[string]any)
		if all := w.running(); len(all) > 0 || s["desiredNumberScheduled"] != int64(0) || s["numberReady"] != int64(0) {
			t.Errorf("pods %v, status %v", all, s)
		}
	})
}
