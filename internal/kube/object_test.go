package kube_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"

	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
)

func read(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	data, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	o := &unstructured.Unstructured{}
	if err := o.UnmarshalJSON(data); err != nil {
		t.Fatal(err)
	}
	return o
}

// TestGVR: the rule by which kinds become resources agrees with every resource that the embedded server serves.
func TestGVR(t *testing.T) {
	for _, r := range apiserver.Resources() {
		if got := kube.GVR(r.APIVersion(), r.Kind); got != r.GVR() && r.Plural != "endpoints" {
			t.Errorf("%s %s is %v, want %v", r.APIVersion(), r.Kind, got, r.GVR())
		}
	}
	for kind, want := range map[string]string{"Gateway": "gateways", "GRPCRoute": "grpcroutes", "NetworkPolicy": "networkpolicies", "Ingress": "ingresses"} {
		if got := kube.GVR("x/v1", kind).Resource; got != want {
			t.Errorf("%s is %s", kind, got)
		}
	}
}

// TestDeploymentRollout reads the state of a Deployment as `kubectl rollout status` would judge it.
func TestDeploymentRollout(t *testing.T) {
	for _, tc := range []struct {
		name, spec, status string
		done               bool
		text               string
		failed             string
	}{
		{"all is well", "{replicas: 3}", "{observedGeneration: 2, replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3}", true,
			"3 of 3 pods are updated, 3 ready, 3 in all", ""},
		{"replicas left out", "{}", "{observedGeneration: 2, replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1}", true,
			"1 of 1 pods are updated, 1 ready, 1 in all", ""},
		{"status of an older spec", "{replicas: 3}", "{observedGeneration: 1, replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3}", false,
			"3 of 3 pods are updated, 3 ready, 3 in all", ""},
		{"no status yet", "{replicas: 3}", "{}", false, "0 of 3 pods are updated, 0 ready, 0 in all", ""},
		{"old pods are left", "{replicas: 3}", "{observedGeneration: 2, replicas: 4, updatedReplicas: 3, readyReplicas: 4, availableReplicas: 4}", false,
			"3 of 3 pods are updated, 4 ready, 4 in all", ""},
		{"ready, not yet available", "{replicas: 3}", "{observedGeneration: 2, replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 2}", false,
			"3 of 3 pods are updated, 3 ready, 3 in all", ""},
		{"one is not ready", "{replicas: 3}", "{observedGeneration: 2, replicas: 3, updatedReplicas: 3, readyReplicas: 2, availableReplicas: 3}", false,
			"3 of 3 pods are updated, 2 ready, 3 in all", ""},
		{"zero", "{replicas: 0}", "{observedGeneration: 2}", true, "0 of 0 pods are updated, 0 ready, 0 in all", ""},
		{"late", "{replicas: 1}", `{observedGeneration: 2, conditions: [{type: Available, status: "True", reason: x},
			{type: Progressing, status: "False", reason: ProgressDeadlineExceeded, message: has timed out}]}`, false,
			"0 of 1 pods are updated, 0 ready, 0 in all", "ProgressDeadlineExceeded: has timed out"},
		{"over quota", "{replicas: 1}", `{observedGeneration: 2, conditions: [{type: ReplicaFailure, status: "True", reason: FailedCreate, message: exceeded quota}]}`,
			false, "0 of 1 pods are updated, 0 ready, 0 in all", "FailedCreate: exceeded quota"},
		{"was over quota", "{replicas: 1}", `{observedGeneration: 2, conditions: [{type: ReplicaFailure, status: "False", reason: FailedCreate, message: exceeded quota}]}`,
			false, "0 of 1 pods are updated, 0 ready, 0 in all", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := read(t, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x, generation: 2}\nspec: "+tc.spec+"\nstatus: "+tc.status)
			got := kube.DeploymentRollout(o)
			if got.Done() != tc.done || got.String() != tc.text || got.Failed != tc.failed {
				t.Errorf("%+v: done %t, %q", got, got.Done(), got)
			}
		})
	}
	r := kube.Rollout{Current: true, Desired: 3, Ready: 2}
	if !r.Serving(2) || r.Serving(3) || (kube.Rollout{Ready: 3}).Serving(1) {
		t.Errorf("serving: %+v", r)
	}
}

// TestFindTrouble: what ends a wait at once, and what is given time.
func TestFindTrouble(t *testing.T) {
	created := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	waiting := func(reason string) string {
		return "containerStatuses: [{name: app, image: shop:v2, restartCount: 0, state: {waiting: {reason: " + reason + ", message: why}}}]"
	}
	for _, tc := range []struct {
		name, status string
		age          time.Duration
		want         string // part of the reason; empty when waiting may help
		crashed      bool
	}{
		{"running", "containerStatuses: [{name: app, state: {running: {}}}]", time.Hour, "", false},
		{"creating", waiting("ContainerCreating"), time.Hour, "", false},
		{"unschedulable for a moment", `conditions: [{type: PodScheduled, status: "False", reason: Unschedulable, message: 0/3 nodes}]`, 29 * time.Second, "", false},
		{"unschedulable", `conditions: [{type: PodScheduled, status: "False", reason: Unschedulable, message: 0/3 nodes}]`, 30 * time.Second, "cannot be scheduled: 0/3 nodes", false},
		{"gated", `conditions: [{type: PodScheduled, status: "False", reason: SchedulingGated, message: gate}]`, time.Hour, "", false},
		{"no such image", waiting("ImagePullBackOff"), 0, "cannot get its image shop:v2 (ImagePullBackOff: why)", false},
		{"first pull failed", waiting("ErrImagePull"), 0, "cannot get its image", false},
		{"bad name", waiting("InvalidImageName"), 0, "cannot get its image", false},
		{"no such ConfigMap", waiting("CreateContainerConfigError"), 0, "cannot start: CreateContainerConfigError: why", false},
		{"no such command", waiting("RunContainerError"), 0, "cannot start", false},
		{"crashed once", "containerStatuses: [{name: app, restartCount: 1, state: {running: {}}, lastState: {terminated: {exitCode: 1, reason: Error}}}]", 0, "", false},
		{"crashed twice", "containerStatuses: [{name: app, restartCount: 2, state: {running: {}}, lastState: {terminated: {exitCode: 137, reason: OOMKilled}}}]", 0,
			"crashes again and again (exit code 137, OOMKilled, 2 restarts)", true},
		{"crash loop", "containerStatuses: [{name: app, restartCount: 1, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 1, reason: Error}}}]", 0,
			"crashes again and again", true},
		{"init container crashes", "initContainerStatuses: [{name: migrate, restartCount: 3, state: {terminated: {exitCode: 2, reason: Error}}}]", 0, "exit code 2", true},
		{"the second container", "containerStatuses: [{name: app, state: {running: {}}}, {name: side, state: {waiting: {reason: ImagePullBackOff}}}]", 0, "cannot get its image", false},
		{"restarted without an exit", "containerStatuses: [{name: app, restartCount: 5, state: {running: {}}}]", 0, "", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := read(t, "apiVersion: v1\nkind: Pod\nmetadata: {name: x-1, creationTimestamp: \"2026-01-02T03:04:05Z\"}\nstatus:\n  "+tc.status)
			got := kube.FindTrouble(kube.ReadPod(o), created.Add(tc.age))
			switch {
			case got == nil && tc.want != "":
				t.Errorf("no trouble, want %q", tc.want)
			case got != nil && (tc.want == "" || !strings.Contains(got.Reason, tc.want) || got.Crashed != tc.crashed || got.Pod != "x-1"):
				t.Errorf("trouble %+v, want %q", got, tc.want)
			}
			now := metav1.NewTime(created)
			o.SetDeletionTimestamp(&now)
			if got := kube.FindTrouble(kube.ReadPod(o), created.Add(tc.age)); got != nil {
				t.Errorf("a pod that is going is in trouble: %+v", got)
			}
		})
	}
}

// TestReadPod reads what the gate on pods needs.
func TestReadPod(t *testing.T) {
	p := kube.ReadPod(read(t, `
apiVersion: v1
kind: Pod
metadata: {name: x}
status:
  phase: Running
  conditions: [{type: Ready, status: "True", lastTransitionTime: "2026-01-02T03:04:05Z"}, {type: DisruptionTarget, status: "True", reason: EvictionByEvictionAPI}]
  containerStatuses: [{name: a, restartCount: 2, state: {running: {}}}, {name: b, restartCount: 3, state: {running: {}}}]
`))
	if !p.Ready || !p.Evicted || p.Restarts() != 5 || p.ReadySince.Format(time.TimeOnly) != "03:04:05" || p.Phase != "Running" {
		t.Errorf("%+v", p)
	}
	if p := kube.ReadPod(read(t, "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nstatus: {reason: Evicted, phase: Failed}")); !p.Evicted {
		t.Errorf("%+v", p)
	}
}

// TestOriginal: what is kept comes back, also when it is large; a damaged mark keeps nothing.
func TestOriginal(t *testing.T) {
	var env []any
	for n := range 2000 {
		env = append(env, map[string]any{"name": fmt.Sprint("VARIABLE_", n), "value": strings.Repeat("x", 50)})
	}
	mark := kube.OriginalMark("checkout")
	for name, kept := range map[string]map[string]any{
		"empty": {}, "number": {"min": float64(2)}, "nil inside": {"a": nil}, "large": {"template": map[string]any{"env": env}},
	} {
		o := read(t, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: checkout, annotations: {team: red}}")
		if err := kube.KeepOriginal(o, mark, kept); err != nil {
			t.Fatal(err)
		}
		if size := len(o.GetAnnotations()[mark]); size > 200<<10 {
			t.Errorf("%s takes %d bytes", name, size)
		}
		got, marked := kube.ReadOriginal(o, mark)
		if !marked || fmt.Sprint(got) != fmt.Sprint(kept) || o.GetAnnotations()["team"] != "red" {
			t.Errorf("%s came back as %.100v, %t", name, got, marked)
		}
		if _, other := kube.ReadOriginal(o, kube.OriginalMark("cart")); other {
			t.Error("another workload's mark is there")
		}
	}
	for _, damaged := range []string{"", "%%%", "aGVsbG8=", "H4sIAAAAAAAA"} {
		o := read(t, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: checkout}")
		o.SetAnnotations(map[string]string{mark: damaged})
		if got, marked := kube.ReadOriginal(o, mark); !marked || got != nil {
			t.Errorf("%q reads as %v, %t", damaged, got, marked)
		}
	}
}

// TestOriginalMark is a valid annotation for every name that a workload may have, and different for different ones.
func TestOriginalMark(t *testing.T) {
	seen := map[string]string{}
	for _, name := range []string{"a", "checkout", strings.Repeat("a", 54), strings.Repeat("a", 55), strings.Repeat("a", 56),
		strings.Repeat("a", 63), strings.Repeat("a", 62) + "b", strings.Repeat("a.", 126) + "a", strings.Repeat("a", 45) + "." + strings.Repeat("b", 30)} {
		mark := kube.OriginalMark(name)
		if problems := validation.IsQualifiedName(mark); len(problems) > 0 {
			t.Errorf("%s is refused: %v", mark, problems)
		}
		if other, twice := seen[mark]; twice {
			t.Errorf("%s and %s share %s", name, other, mark)
		}
		seen[mark] = name
	}
}

// TestDisown: after it nothing of ours is left, and what its managers lost to us is theirs again.
func TestDisown(t *testing.T) {
	entry := func(manager, operation, at, fields string) string {
		return fmt.Sprintf("{manager: %s, operation: %s, apiVersion: v1, time: %q, fieldsType: FieldsV1, fieldsV1: %s}", manager, operation, at, fields)
	}
	const early, late = "2026-01-02T03:00:00Z", "2026-01-02T04:00:00Z"
	object := func(entries ...string) *unstructured.Unstructured {
		return read(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, managedFields: ["+strings.Join(entries, ", ")+"]}")
	}
	for _, tc := range []struct {
		name     string
		now, was *unstructured.Unstructured
		changed  bool
		want     string // manager and what it owns
	}{
		{"nothing of ours", object(entry("kubectl", "Apply", early, `{"f:a": {}}`)), nil, false, `kubectl{"f:a":{}}`},
		{"ours goes", object(entry("kubectl", "Apply", early, `{"f:a": {}}`), entry("tidegate", "Update", late, `{"f:b": {}}`)), nil, true, `kubectl{"f:a":{}}`},
		{"what was lost comes back", object(entry("kubectl", "Apply", early, `{"f:a": {}}`), entry("tidegate", "Update", late, `{"f:b": {}}`)),
			object(entry("kubectl", "Apply", early, `{"f:a": {}, "f:b": {}}`)), true, `kubectl{"f:a":{},"f:b":{}}`},
		{"all was lost", object(entry("tidegate", "Update", late, `{"f:b": {}}`)), object(entry("kubectl", "Apply", early, `{"f:b": {}}`)), true, `kubectl{"f:b":{}}`},
		{"applied again meanwhile", object(entry("kubectl", "Apply", late, `{"f:c": {}}`), entry("tidegate", "Update", late, `{"f:b": {}}`)),
			object(entry("kubectl", "Apply", early, `{"f:a": {}, "f:b": {}}`)), true, `kubectl{"f:c":{}}`},
		{"ours of before is not given back", object(entry("tidegate", "Update", late, `{"f:b": {}}`)), object(entry("tidegate", "Update", early, `{"f:b": {}}`)), true, ""},
		{"another operation is another entry", object(entry("kubectl", "Update", early, `{"f:z": {}}`), entry("tidegate", "Update", late, `{"f:b": {}}`)),
			object(entry("kubectl", "Apply", early, `{"f:b": {}}`)), true, `kubectl{"f:z":{}} kubectl{"f:b":{}}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var was map[string]any
			if tc.was != nil {
				was = tc.was.Object
			}
			if changed := kube.Disown(tc.now, was); changed != tc.changed {
				t.Errorf("changed: %t", changed)
			}
			var got []string
			for _, e := range tc.now.GetManagedFields() {
				got = append(got, e.Manager+string(e.FieldsV1.GetRawBytes()))
			}
			if strings.Join(got, " ") != tc.want {
				t.Errorf("owners are %s, want %s", strings.Join(got, " "), tc.want)
			}
		})
	}
}

// TestScalerMinimum is where each kind keeps it.
func TestScalerMinimum(t *testing.T) {
	for kind, want := range map[string]string{"HorizontalPodAutoscaler": "spec.minReplicas", "ScaledObject": "spec.minReplicaCount"} {
		if got := strings.Join(kube.ScalerMinimum(kind), "."); got != want {
			t.Errorf("%s: %s", kind, got)
		}
	}
}
