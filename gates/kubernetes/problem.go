package kubernetes

import (
	"fmt"
	"time"
)

// Reasons of waiting containers, by what a person has to do. The names are the kubelet's (pkg/kubelet/images/types.go,
// pkg/kubelet/kuberuntime) and appear in a pod's status.
const crashLoop = "CrashLoopBackOff"

func cannotPull(reason string) bool {
	switch reason {
	case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ImageInspectError", "ErrImageNeverPull", "RegistryUnavailable", "SignatureValidationFailed":
		return true
	}
	return false
}

func cannotCreate(reason string) bool {
	switch reason {
	case "CreateContainerConfigError", "CreateContainerError", "RunContainerError", "PostStartHookError", "PreCreateHookError", "PreStartHookError":
		return true
	}
	return false
}

// problem says why this pod undoes the rollout, if it does.
func (s *survey) problem(p Pod, m memory, now time.Time, unreadyFor time.Duration) string {
	if p.Evicted {
		return fmt.Sprintf("pod %s was evicted%s; see why: %s", p.Name, because(p.WaitingMessage), s.describe(p))
	}
	if ended(p) {
		return ""
	}
	who := "pod " + p.Name
	if p.Container != "" {
		who += ": container " + p.Container
	}
	grew := p.Restarts - m.restarts
	unready := now.Sub(m.unreadySince)
	switch {
	case p.Terminated == "OOMKilled":
		return fmt.Sprintf("%s ran out of memory and was killed (OOMKilled, exit code %d)%s; raise its memory limit or find what takes the memory: %s",
			who, p.ExitCode, lastWords(p), s.describe(p))
	case p.Waiting == crashLoop:
		return fmt.Sprintf("%s crashes again and again (%s)%s; read its log: %s", who, death(p), lastWords(p), s.log(p))
	case cannotPull(p.Waiting):
		return fmt.Sprintf("%s cannot get its image (%s)%s; check the image's name and the pull secret: %s", who, p.Waiting, because(p.WaitingMessage), s.describe(p))
	case cannotCreate(p.Waiting):
		return fmt.Sprintf("%s cannot be started (%s)%s; check its command, ConfigMaps and Secrets: %s", who, p.Waiting, because(p.WaitingMessage), s.describe(p))
	case grew > 0 && p.ExitCode != 0:
		return fmt.Sprintf("%s restarted %s while the gate watched (%s)%s; read its log: %s", who, times(grew), death(p), lastWords(p), s.log(p))
	case !p.Ready && m.ready && !now.IsZero() && !m.unreadySince.IsZero() && unready >= unreadyFor:
		return fmt.Sprintf("pod %s was ready and has not been for %s; look at its readiness probe: %s", p.Name, unready.Round(time.Second), s.describe(p))
	}
	return ""
}

// state is why a pod is not ready, in brackets.
func state(p Pod) string {
	switch {
	case p.Unschedulable != "":
		return "(cannot be scheduled: " + tail(p.Unschedulable) + ")"
	case p.Waiting != "":
		return "(" + p.Waiting + because(p.WaitingMessage) + ")"
	case p.Terminated != "" && p.Restarts > 0:
		return fmt.Sprintf("(%s, restarted %s)", death(p), times(p.Restarts))
	case p.Phase != "":
		return "(" + p.Phase + ")"
	}
	return "(not ready)"
}

func death(p Pod) string {
	if p.Terminated == "" || p.Terminated == "Error" {
		return fmt.Sprintf("exit code %d", p.ExitCode)
	}
	return fmt.Sprintf("%s, exit code %d", p.Terminated, p.ExitCode)
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

func because(message string) string {
	if message == "" {
		return ""
	}
	return ": " + tail(message)
}

func lastWords(p Pod) string {
	if p.LastWords == "" {
		return ""
	}
	return fmt.Sprintf(", its last words: %q", tail(p.LastWords))
}

func (s *survey) describe(p Pod) string { return "kubectl describe pod" + s.in() + " " + p.Name }

func (s *survey) log(p Pod) string {
	command := "kubectl logs" + s.in() + " " + p.Name
	if p.Container != "" {
		command += " -c " + p.Container
	}
	return command + " --previous"
}

func (s *survey) in() string {
	if s.namespace == "" {
		return ""
	}
	return " -n " + s.namespace
}
