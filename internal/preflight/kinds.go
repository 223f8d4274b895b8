package preflight

// Kind describes the findings of one name.
type Kind struct {
	Name  string
	Level Level
	Says  string // what is wrong, for the documentation
	Final bool   // nothing accepts it: the rollout would only fail later
	Force bool   // --force accepts it, not --accept
}

// Kinds are all findings that there are, errors first.
func Kinds() []Kind {
	return append(finals(), append(acceptables(), warnings()...)...)
}

func finals() []Kind {
	return []Kind{
		{Name: "permissions", Level: Error, Final: true, Says: "verbs that the rollout needs are not granted"},
		{Name: "refused", Level: Error, Final: true, Says: "the server refuses the candidate in a dry run, for instance by an admission policy"},
		{Name: "name-taken", Level: Error, Final: true, Says: "an object that is not Tidegate's has the candidate's name"},
		{Name: "preview-host", Level: Error, Final: true, Says: "a route answers at the preview's host already"},
		{Name: "name-too-long", Level: Error, Final: true, Says: "a name or label of the candidate breaks a limit of Kubernetes"},
		{Name: "paused", Level: Error, Final: true, Says: "the Deployment is paused, so that it could never take the new version over"},
		{Name: "cohort-limit", Level: Error, Final: true, Says: "a route has no room for the rules by which users find the version of their cohort"},
		{Name: "ring-limit", Level: Error, Final: true, Says: "a route has no room for the rules of the internal ring"},
		{Name: "rule-limit", Level: Error, Final: true, Says: "a rule of the route has no room for the candidate, or its weights cannot be divided"},
		{Name: "route-cannot-split", Level: Error, Final: true, Says: "a route cannot carry a split of the plan"},
		{Name: "router-cannot-mirror", Level: Error, Final: true, Says: "the gateway does not say that it copies requests"},
		{Name: "route-not-accepted", Level: Error, Final: true, Says: "a gateway does not accept the route as it is now"},
	}
}

func acceptables() []Kind {
	return []Kind{
		{Name: "base-not-whole", Level: Error, Force: true, Says: "the running version is not well, so that there would be no way back"},
		{Name: "cohort-overtakes", Level: Error, Says: "another route's rule would lose requests of users who have a cohort"},
		{Name: "gitops", Level: Error, Says: "Argo CD or Flux owns an object that the rollout changes, and would change it back"},
		{Name: "headless-service", Level: Error, Says: "the Service that would be switched has no address of its own: who looked its pods up would stay with the old ones"},
		{Name: "not-ready-addresses", Level: Error, Says: "the Service sends to pods that are not ready"},
		{Name: "owned", Level: Error, Says: "a controller owns the workload, and would change it back"},
		{Name: "quota", Level: Error, Says: "a ResourceQuota has no room for a second set of pods"},
		{Name: "reference-grant", Level: Error, Says: "a route of another namespace may not send to the candidate's Service"},
		{Name: "ring-overtakes", Level: Error, Says: "another route's rule would lose requests of the internal ring"},
		{Name: "session-persistence", Level: Error, Says: "a rule keeps users on a version after its weight went to 0"},
		{Name: "shared-selector", Level: Error, Says: "another Service would select the candidate's pods"},
		{Name: "single-mount-volume", Level: Error, Says: "a volume may be mounted by one pod or node only"},
		{Name: "too-few-nodes", Level: Error, Says: "anti-affinity or host ports leave no node for the candidate"},
	}
}

func warnings() []Kind {
	return []Kind{
		{Name: "blind-gate", Level: Warning, Says: "a gate has no data of the version that runs (only `plan` asks)"},
		{Name: "blocking-budget", Level: Warning, Says: "a PodDisruptionBudget lets no pod go (only `plan` says so)"},
		{Name: "dry-run-unsupported", Level: Warning, Says: "an admission webhook does not answer dry runs"},
		{Name: "helm", Level: Warning, Says: "Helm manages the workload: the next upgrade must know the new image"},
		{Name: "gate-not-asked", Level: Warning, Says: "a gate could not be asked for data of the version that runs (only `plan` asks)"},
		{Name: "host-port", Level: Warning, Says: "pods use ports of their node"},
		{Name: "local-traffic", Level: Warning, Says: "a Service that sends only to pods of the same node may have none there after the switch"},
		{Name: "no-events", Level: Warning, Says: "events may not be read or written"},
		{Name: "no-grace-period", Level: Warning, Says: "pods are killed without time to end their requests"},
		{Name: "no-pre-stop", Level: Warning, Says: "callers of the Service itself may meet pods that are stopping"},
		{Name: "no-readiness-probe", Level: Warning, Says: "pods count as ready before they can answer"},
		{Name: "no-revision-history", Level: Warning, Says: "kubectl rollout undo would find nothing"},
		{Name: "not-looked-at", Level: Warning, Says: "something could not be read, so that it is not known"},
		{Name: "other-ingress", Level: Warning, Says: "an Ingress sends to the Service past the split"},
		{Name: "other-route", Level: Warning, Says: "another route or rule sends to the Service past the split"},
		{Name: "outage-in-production", Level: Warning, Says: "recreate in an environment that is called production, prod or live (only `plan` says so)"},
		{Name: "permissions-unknown", Level: Warning, Says: "the server does not say what is granted"},
		{Name: "queue-consumer", Level: Warning, Says: "weights do not steer what takes its work from a queue"},
		{Name: "recreate", Level: Warning, Says: "callers of the Service itself meet an outage when the base takes the new version over"},
		{Name: "route-warning", Level: Warning, Says: "users of a route may lose by a split of the plan, or do not see it"},
		{Name: "router-regex", Level: Warning, Says: "users are told apart by a cookie, which takes a regular expression (and cohorts take filters of backends) that the gateway may not know"},
		{Name: "rolling-is-enough", Level: Warning, Says: "requests are divided in an environment that is called development, staging or test (only `plan` says so)"},
		{Name: "session-affinity", Level: Warning, Says: "the Service keeps a client on one pod"},
		{Name: "shared-rule", Level: Warning, Says: "a rule divides its requests between the Service and others"},
		{Name: "shared-service", Level: Warning, Says: "the Service selects pods of other Deployments too"},
		{Name: "short-grace-period", Level: Warning, Says: "the preStop hook takes all the time that a pod has to end (only `plan` says so)"},
		{Name: "vertical-autoscaler", Level: Warning, Says: "a VerticalPodAutoscaler may restart pods during the rollout"},
		{Name: "zero-weight", Level: Warning, Says: "a rule sends nothing to the Service"},
	}
}

func kindOf(name string) Kind {
	for _, k := range Kinds() {
		if k.Name == name {
			return k
		}
	}
	return Kind{}
}
