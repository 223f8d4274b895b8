package kube

import (
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Pod is what matters of a pod's state.
type Pod struct {
	Name        string
	Phase       string
	Ready       bool
	Terminating bool
	Evicted     bool
	Created     time.Time
	ReadySince  time.Time
	// Unschedulable is the scheduler's reason why the pod has no node.
	Unschedulable string
	Containers    []Container
}

// Container is what matters of a container's state.
type Container struct {
	Name           string
	Image          string
	Restarts       int
	Waiting        string // reason: CrashLoopBackOff, ImagePullBackOff, ...
	WaitingMessage string
	// Exit is set when the container ended, now or before its last restart.
	Exit *Exit
}

// Exit is how a container ended.
type Exit struct {
	Code    int
	Reason  string // Error, OOMKilled, ...
	Message string
}

// ReadPod reads a pod's state.
func ReadPod(o *unstructured.Unstructured) Pod {
	p := Pod{Name: o.GetName(), Terminating: o.GetDeletionTimestamp() != nil, Created: o.GetCreationTimestamp().Time}
	p.Phase, _, _ = unstructured.NestedString(o.Object, "status", "phase")
	reason, _, _ := unstructured.NestedString(o.Object, "status", "reason")
	p.Evicted = reason == "Evicted"
	conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, c := range conditions {
		p.condition(asMap(c))
	}
	for _, field := range []string{"initContainerStatuses", "containerStatuses"} {
		statuses, _, _ := unstructured.NestedSlice(o.Object, "status", field)
		for _, s := range statuses {
			p.Containers = append(p.Containers, readContainer(asMap(s)))
		}
	}
	return p
}

func (p *Pod) condition(c map[string]any) {
	switch {
	case c["type"] == "Ready" && c["status"] == "True":
		p.Ready = true
		p.ReadySince, _ = time.Parse(time.RFC3339, text(c["lastTransitionTime"]))
	case c["type"] == "PodScheduled" && c["status"] == "False" && c["reason"] == "Unschedulable":
		p.Unschedulable = text(c["message"])
	case c["type"] == "DisruptionTarget" && c["status"] == "True" && c["reason"] != "DeletionByTaintManager":
		p.Evicted = p.Evicted || strings.Contains(text(c["reason"]), "Eviction")
	}
}

func readContainer(s map[string]any) Container {
	c := Container{Name: text(s["name"]), Image: text(s["image"]), Restarts: number(s["restartCount"])}
	state := asMap(s["state"])
	waiting := asMap(state["waiting"])
	c.Waiting, c.WaitingMessage = text(waiting["reason"]), text(waiting["message"])
	for _, ended := range []map[string]any{asMap(state["terminated"]), asMap(asMap(s["lastState"])["terminated"])} {
		if ended != nil && c.Exit == nil {
			c.Exit = &Exit{Code: number(ended["exitCode"]), Reason: text(ended["reason"]), Message: text(ended["message"])}
		}
	}
	return c
}

// Restarts counts the restarts of all containers.
func (p Pod) Restarts() int {
	n := 0
	for _, c := range p.Containers {
		n += c.Restarts
	}
	return n
}

func asMap(v any) map[string]any { m, _ := v.(map[string]any); return m }

func text(v any) string { s, _ := v.(string); return s }

func number(v any) int {
	switch n := v.(type) {
	case int64:
		return int(n)
	case float64:
		return int(n)
	}
	return 0
}
