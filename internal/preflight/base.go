package preflight

import (
	"fmt"
	"strings"

	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
)

// checkBase tells whether the running version is well: it is the way back.
func checkBase(o Observed, _ plan.Plan) Findings {
	rollout := kube.WorkloadRollout(wrap(o.workload))
	var wrong []string
	switch {
	case rollout.Desired == 0:
		wrong = append(wrong, noPods(o))
	case !rollout.Current:
		wrong = append(wrong, "its controller has not seen its latest change yet")
	case !rollout.Done():
		wrong = append(wrong, rollout.String())
	}
	if rollout.Failed != "" {
		wrong = append(wrong, rollout.Failed)
	}
	wrong = append(wrong, troubles(o.pods)...)
	if len(wrong) == 0 {
		return nil
	}
	return Findings{finding("base-not-whole", about(o.workload),
		fmt.Sprintf("Bring it in order first (kubectl rollout status %s -n %s), or start all the same with --force", kube.Arg(plan.RefOf(o.workload)), o.namespace),
		"the running version is not whole, so that there would be no way back: %s", strings.Join(wrong, "; "))}
}

// noPods says why a workload runs no pods.
func noPods(o Observed) string {
	if textAt(o.workload, "kind") == kube.DaemonSet {
		return "it runs no pods (no node is for them)"
	}
	return "it runs no pods (spec.replicas is 0)"
}

// troubles are the states of pods that do not heal by waiting, three at most.
func troubles(pods []plan.Object) []string {
	var list []string
	for _, o := range pods {
		// A pod that cannot be scheduled counts at once: its age is of no interest here.
		pod := kube.ReadPod(wrap(o))
		if t := kube.FindTrouble(pod, pod.Created.Add(longEnough)); t != nil && len(list) < 3 {
			list = append(list, "pod "+t.Pod+" "+t.Reason)
		}
	}
	return list
}
