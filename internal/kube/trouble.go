package kube

import (
	"fmt"
	"time"
)

// Trouble is a state of a pod from which it will not get well by waiting.
type Trouble struct {
	Pod       string
	Container string // empty when the whole pod is meant
	Reason    string // in a person's words
	Hint      string
	// Crashed says that the container ran and ended: its log holds its last words.
	Crashed bool
}

// crashes is how often a new pod may restart until its crashing counts as a loop.
const crashes = 2

// Unschedulable pods are given this long: an autoscaler may be adding a node.
const schedulingPatience = 30 * time.Second

// FindTrouble looks for a reason to give a new pod up. nil means that waiting may help.
func FindTrouble(p Pod, now time.Time) *Trouble {
	if p.Terminating {
		return nil
	}
	if p.Unschedulable != "" && now.Sub(p.Created) >= schedulingPatience {
		return &Trouble{Pod: p.Name, Reason: "cannot be scheduled: " + p.Unschedulable,
			Hint: "Make room (nodes, quota, taints) or lower the pod's requests."}
	}
	for _, c := range p.Containers {
		if t := c.trouble(); t != nil {
			t.Pod, t.Container = p.Name, c.Name
			return t
		}
	}
	return nil
}

func (c Container) trouble() *Trouble {
	switch c.Waiting {
	case "ImagePullBackOff", "ErrImagePull", "ErrImageNeverPull", "InvalidImageName", "RegistryUnavailable", "ImageInspectError":
		return &Trouble{Reason: fmt.Sprintf("cannot get its image %s (%s: %s)", c.Image, c.Waiting, c.WaitingMessage),
			Hint: "Check that the image was pushed under this very name and that the cluster may pull it (imagePullSecrets)."}
	case "CreateContainerConfigError", "CreateContainerError", "RunContainerError":
		return &Trouble{Reason: fmt.Sprintf("cannot start: %s: %s", c.Waiting, c.WaitingMessage),
			Hint: "Check the ConfigMaps, Secrets and commands that the pod template names."}
	}
	if c.Exit == nil || c.Restarts < crashes && c.Waiting != "CrashLoopBackOff" {
		return nil
	}
	return &Trouble{Crashed: true, Reason: fmt.Sprintf("crashes again and again (exit code %d, %s, %d restarts)",
		c.Exit.Code, c.Exit.Reason, c.Restarts), Hint: "Run the image with the same settings to see more."}
}
