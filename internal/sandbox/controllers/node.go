package controllers

import (
	"cmp"
	"fmt"
	"net/http"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
	"github.com/tidegate/tidegate/internal/sandbox/service"
)

// NodeName is the node that runs every pod but those that are meant for another.
const NodeName = "sandbox"

const (
	lastWords  = "panic: cannot open /etc/checkout/config.yaml: no such file or directory\n"
	maxBackoff = 5 * time.Minute
)

// node is what the kubelet remembers of its pods, by uid, and which addresses answer.
type node struct {
	pods map[string]*podState // the loop's own
	next int

	mu      sync.RWMutex
	serving map[string]*process
}

// podState is how far a pod has come.
type podState struct {
	stage    stage
	at       time.Time // when it goes on
	ip       string
	restarts int64
	started  time.Time
	pulled   bool // a pull has failed before
}

type stage int

const (
	pending  stage = iota // not looked at yet
	starting              // bound to the node, containers are created
	running
	crashed // waits for its restart
	stuck   // nothing more happens
)

// process is a running pod's service.
type process struct {
	http.Handler
	Namespace, Name string
	Labels          map[string]any
}

// Handler is what listens on a pod's address, or nil.
func (c *Controllers) Handler(ip string) http.Handler {
	c.node.mu.RLock()
	defer c.node.mu.RUnlock()
	if p := c.node.serving[ip]; p != nil {
		return p.Handler
	}
	return nil
}

// Target is a pod that can be scraped.
type Target struct {
	Namespace, Pod string
	Labels         map[string]any
	Handler        http.Handler
}

// Targets are all pods that run.
func (c *Controllers) Targets() []Target {
	c.node.mu.RLock()
	defer c.node.mu.RUnlock()
	list := make([]Target, 0, len(c.node.serving))
	for _, p := range c.node.serving {
		list = append(list, Target{p.Namespace, p.Name, p.Labels, p.Handler})
	}
	return list
}

func (c *Controllers) pod(r ref) {
	p := c.get(r)
	if p == nil {
		return
	}
	uid := str(p, "metadata", "uid")
	s := c.node.pods[uid]
	if s == nil {
		s = &podState{}
		c.node.pods[uid] = s
	}
	switch {
	case deleted(p):
		c.stop(r, p, s, uid)
	case s.at.After(c.o.Clock.Now()):
		c.later(r, s.at)
	case s.stage == pending:
		c.bind(r, p, s)
	case s.stage == starting, s.stage == crashed:
		c.launch(r, p, s)
	case s.stage == running:
		c.crash(r, p, s)
	}
}

// then lets a pod go on after d.
func (c *Controllers) then(r ref, s *podState, next stage, d time.Duration) {
	s.stage, s.at = next, c.o.Clock.Now().Add(d)
	if next != stuck {
		c.later(r, s.at)
	}
}

// bind is the scheduler: a pod that asks for more than the node has waits for ever.
func (c *Controllers) bind(r ref, p object, s *podState) {
	now := c.o.Clock.Now()
	if lack := c.lack(p); lack != "" {
		message := "0/1 nodes are available: 1 Insufficient " + lack + ". preemption: not eligible due to preemptionPolicy=Never."
		c.then(r, s, stuck, 0)
		c.setStatus(r, object{"phase": "Pending", "qosClass": "Burstable", "conditions": []any{
			condition(nil, now, "PodScheduled", "False", "Unschedulable", message),
		}})
		c.event(r, str(p, "metadata", "uid"), "Warning", "FailedScheduling", message)
		return
	}
	c.node.next++
	s.ip = fmt.Sprintf("10.244.%d.%d", c.node.next/250, c.node.next%250+2)
	c.then(r, s, starting, c.o.ReadyAfter)
	waiting := object{"waiting": object{"reason": "ContainerCreating"}}
	status := c.podStatus(p, s, "Pending", func(string) object { return object{"state": waiting} })
	c.mutate(r, func(o object) {
		at(o, "spec")["nodeName"] = cmp.Or(nodeOf(p), NodeName)
		o["status"] = status
	})
}

// lack names the resource of which a pod asks more than the node has, or "".
func (c *Controllers) lack(p object) string {
	for name, limit := range map[string]resource.Quantity{"cpu": c.o.CPU, "memory": c.o.Memory} {
		var sum resource.Quantity
		for _, k := range entries(p, "spec", "containers") {
			text, _ := at(k, "resources", "requests")[name].(string)
			if q, err := resource.ParseQuantity(text); err == nil {
				sum.Add(q)
			}
		}
		if !limit.IsZero() && sum.Cmp(limit) > 0 {
			return name
		}
	}
	return ""
}

// launch pulls the images and starts the containers.
func (c *Controllers) launch(r ref, p object, s *podState) {
	config := service.Config{}
	for i, k := range entries(p, "spec", "containers") {
		image := str(k, "image")
		found, ok := c.o.Images(image)
		if !ok {
			c.pullFailed(r, p, s, str(k, "name"), image)
			return
		}
		if i == 0 {
			config = found
		}
	}
	if s.stage == crashed {
		s.restarts++
	}
	s.started = c.o.Clock.Now()
	if config.Crash {
		c.then(r, s, running, c.o.ReadyAfter)
	} else {
		c.then(r, s, stuck, 0)
		c.serve(p, s, config)
	}
	ready := !config.Crash && !config.Unready
	c.setStatus(r, c.podStatus(p, s, "Running", func(string) object {
		return object{
			"state": object{"running": object{"startedAt": stamp(s.started)}}, "ready": ready, "started": true,
			"lastState": s.last(c),
		}
	}))
	if config.Unready {
		c.event(r, str(p, "metadata", "uid"), "Warning", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503")
	}
}

func (c *Controllers) serve(p object, s *podState, config service.Config) {
	c.node.mu.Lock()
	defer c.node.mu.Unlock()
	c.node.serving[s.ip] = &process{
		Handler: service.New(config), Namespace: str(p, "metadata", "namespace"), Name: str(p, "metadata", "name"),
		Labels: at(p, "metadata", "labels"),
	}
}

func (c *Controllers) silence(s *podState) {
	c.node.mu.Lock()
	defer c.node.mu.Unlock()
	delete(c.node.serving, s.ip)
}

// pullFailed reports the failed pull, a moment later that it is not tried again soon.
func (c *Controllers) pullFailed(r ref, p object, s *podState, name, image string) {
	uid := str(p, "metadata", "uid")
	reason, message := "ErrImagePull", fmt.Sprintf("failed to pull and unpack image %q: not found", image)
	if s.pulled { // the second look
		reason, message = "ImagePullBackOff", fmt.Sprintf("Back-off pulling image %q", image)
		c.then(r, s, stuck, 0)
		c.event(r, uid, "Normal", "BackOff", message)
		c.event(r, uid, "Warning", "Failed", "Error: ImagePullBackOff")
	} else {
		c.then(r, s, starting, c.o.ReadyAfter)
		c.event(r, uid, "Warning", "Failed", fmt.Sprintf("Failed to pull image %q: %s", image, message))
		c.event(r, uid, "Warning", "Failed", "Error: ErrImagePull")
	}
	s.pulled = true
	c.setStatus(r, c.podStatus(p, s, "Pending", func(container string) object {
		if container != name {
			return object{"state": object{"waiting": object{"reason": "ContainerCreating"}}}
		}
		return object{"state": object{"waiting": object{"reason": reason, "message": message}}}
	}))
}

// crash ends the first container with its last words; it is started again after a delay that doubles.
func (c *Controllers) crash(r ref, p object, s *podState) {
	delay := c.o.Backoff
	for range s.restarts {
		delay = min(2*delay, maxBackoff)
	}
	c.then(r, s, crashed, delay)
	name := str(p, "metadata", "name")
	container := ""
	if list := entries(p, "spec", "containers"); len(list) > 0 {
		container = str(list[0], "name")
	}
	status := c.podStatus(p, s, "Running", func(string) object {
		return object{
			"state": object{"waiting": object{
				"reason":  "CrashLoopBackOff",
				"message": fmt.Sprintf("back-off %s restarting failed container=%s pod=%s", delay, container, name),
			}},
			"lastState": object{"terminated": c.terminated(s)},
		}
	})
	c.mutate(r, func(o object) {
		o["status"] = status
		annotations := cloned(at(o, "metadata", "annotations"))
		annotations[apiserver.LastWords] = lastWords
		at(o, "metadata")["annotations"] = annotations
	})
	c.event(r, str(p, "metadata", "uid"), "Warning", "BackOff", fmt.Sprintf("Back-off restarting failed container %s in pod %s", container, name))
}

func (c *Controllers) terminated(s *podState) object {
	return object{
		"exitCode": int64(1), "reason": "Error", "message": lastWords,
		"startedAt": stamp(s.started), "finishedAt": stamp(c.o.Clock.Now()),
	}
}

// last is lastState of a container that was started again.
func (s *podState) last(c *Controllers) object {
	if s.restarts == 0 {
		return object{}
	}
	return object{"terminated": c.terminated(s)}
}

// podStatus builds a status; each says what differs for a container.
func (c *Controllers) podStatus(p object, s *podState, phase string, each func(name string) object) object {
	now := c.o.Clock.Now()
	var statuses []any
	ready := true
	for _, k := range entries(p, "spec", "containers") {
		cs := object{
			"name": k["name"], "image": k["image"], "imageID": "", "ready": false, "started": false,
			"restartCount": s.restarts, "lastState": object{},
		}
		for key, v := range each(str(k, "name")) {
			cs[key] = v
		}
		ready = ready && cs["ready"] == true
		statuses = append(statuses, cs)
	}
	status, reason, message := "True", "", ""
	if !ready {
		status, reason, message = "False", "ContainersNotReady", "containers with unready status"
	}
	old := entries(p, "status", "conditions")
	conditions := []object{
		condition(old, now, "PodReadyToStartContainers", "True", "", ""), condition(old, now, "Initialized", "True", "", ""),
		condition(old, now, "Ready", status, reason, message), condition(old, now, "ContainersReady", status, reason, message),
		condition(old, now, "PodScheduled", "True", "", ""),
	}
	start := str(p, "status", "startTime")
	if start == "" {
		start = stamp(now)
	}
	return object{
		"phase": phase, "conditions": anys(conditions), "containerStatuses": statuses, "startTime": start, "qosClass": "BestEffort",
		"hostIP": "127.0.0.1", "podIP": s.ip, "podIPs": []any{object{"ip": s.ip}},
	}
}

// stop is a pod's termination: preStop, then the signal, then the process's own grace, all within the pod's.
func (c *Controllers) stop(r ref, p object, s *podState, uid string) {
	now := c.o.Clock.Now()
	sleep, grace := c.farewell(p)
	if s.stage != stopping {
		s.stage, s.at = stopping, now.Add(min(sleep+grace, time.Duration(num(p, "metadata", "deletionGracePeriodSeconds"))*time.Second))
		s.started = now.Add(sleep)
	}
	config, _ := c.o.Images(firstImage(p))
	if config.Rude && !now.Before(s.started) {
		c.silence(s)
	}
	switch {
	case config.Rude && now.Before(s.started):
		c.later(r, s.started)
	case now.Before(s.at):
		c.later(r, s.at)
	default:
		c.silence(s)
		delete(c.node.pods, uid)
		_ = c.api.Delete(gvr("pods"), r.Key, 0)
	}
}

const stopping stage = 100

// farewell is how long a pod's preStop and its process take.
func (c *Controllers) farewell(p object) (sleep, grace time.Duration) {
	for _, k := range entries(p, "spec", "containers") {
		sleep = max(sleep, time.Duration(num(k, "lifecycle", "preStop", "sleep", "seconds"))*time.Second)
	}
	return sleep, c.o.Grace
}

func firstImage(p object) string {
	for _, k := range entries(p, "spec", "containers") {
		return str(k, "image")
	}
	return ""
}

// Job is the scrape job of a pod: its label app.kubernetes.io/name or app, or else its own name.
func (t Target) Job() string {
	for _, k := range []string{"app.kubernetes.io/name", "app"} {
		if v, _ := t.Labels[k].(string); v != "" {
			return v
		}
	}
	return t.Pod
}
