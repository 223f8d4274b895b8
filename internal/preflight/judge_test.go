package preflight

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/spec"
)

func TestNothingIsFoundInAHealthyCluster(t *testing.T) {
	found, err := newWorld(t).check(Options{})
	if err != nil || len(found) != 0 {
		t.Errorf("findings %v, error %v", found, err)
	}
}

type judged struct {
	name   string
	change func(w *world)
	want   string // name of the finding; empty: none
	says   string // in the message
}

func TestFindings(t *testing.T) {
	cases := slices.Concat(baseCases(), workloadCases(), ownerCases(), serviceCases(), routeCases(), quotaCases(), placementCases(), nameCases(), ringCases(), switchCases(), ingressCases())
	seen := map[string]bool{}
	for _, test := range cases {
		seen[test.want] = true
		t.Run(test.want+"/"+test.name, func(t *testing.T) {
			w := newWorld(t)
			test.change(w)
			o, _, p := w.compiled()
			found := Judge(o, p)
			if test.want == "" {
				if len(found) > 0 {
					t.Errorf("found %v", []Finding(found))
				}
				return
			}
			i := slices.IndexFunc(found, func(f Finding) bool { return f.Name == test.want })
			if i < 0 {
				t.Fatalf("not found; found %v", []Finding(found))
			}
			f := found[i]
			if !strings.Contains(f.Message+" "+f.Object, test.says) || f.Remedy == "" || f.Object == "" {
				t.Errorf("the finding does not say %q, or lacks remedy or object: %v", test.says, f)
			}
			for _, other := range found {
				if other.Name != test.want && other.Level == Error {
					t.Errorf("found too: %v", other)
				}
			}
		})
	}
	for _, k := range Kinds() {
		asked := []string{"permissions", "permissions-unknown", "no-events", "refused", "dry-run-unsupported", "not-looked-at",
			"cohort-limit", "cohort-overtakes", "router-cannot-mirror", // TestFindingsOfUsers, TestFindingsOfMirrors
			"blind-gate", "gate-not-asked", "blocking-budget", "outage-in-production", "rolling-is-enough", "short-grace-period"} // advice: TestAdvice
		if !seen[k.Name] && !slices.Contains(asked, k.Name) {
			t.Errorf("no case for %s", k.Name)
		}
	}
}

func patching(key, text string) func(*world) { return func(w *world) { w.patch(key, text) } }

func adding(text string) func(*world) { return func(w *world) { w.add(text) } }

func baseCases() []judged {
	return []judged{
		{"zero replicas", patching("workload", `{spec: {replicas: 0}, status: {replicas: 0, updatedReplicas: 0, readyReplicas: 0, availableReplicas: 0}}`), "base-not-whole", "runs no pods"},
		{"fewer ready", patching("workload", `{status: {readyReplicas: 3, availableReplicas: 3}}`), "base-not-whole", "3 ready"},
		{"being rolled", patching("workload", `{status: {updatedReplicas: 1}}`), "base-not-whole", "1 of 4 pods are updated"},
		{"not seen yet", patching("workload", `{status: {observedGeneration: 0}}`), "base-not-whole", "has not seen its latest change"},
		{"deadline", patching("workload", `{status: {conditions: [{type: Progressing, reason: ProgressDeadlineExceeded, message: too slow}]}}`), "base-not-whole", "too slow"},
		{"crash loop", func(w *world) {
			w.patch("workload", `{status: {readyReplicas: 3, availableReplicas: 3}}`)
			w.add(`{apiVersion: v1, kind: Pod, metadata: {name: checkout-1, namespace: shop, labels: {app: checkout}}, spec: {containers: [{name: checkout, image: x}]},
  status: {containerStatuses: [{name: checkout, restartCount: 7, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 1, reason: Error}}}]}}`)
		}, "base-not-whole", "pod checkout-1 crashes again and again"},
	}
}

func workloadCases() []judged {
	return []judged{
		{"paused", patching("workload", `{spec: {paused: true}}`), "paused", "is paused"},
		{"history", patching("workload", `{spec: {revisionHistoryLimit: 0}}`), "no-revision-history", "revisionHistoryLimit is 0"},
		{"recreate", patching("workload", `{spec: {strategy: {type: Recreate}}}`), "recreate", "outage"},
		{"readiness", func(w *world) { w.container(`{readinessProbe: null}`) }, "no-readiness-probe", "no container"},
		{"readiness gate", func(w *world) {
			w.container(`{readinessProbe: null}`)
			w.patch("workload", `{spec: {template: {spec: {readinessGates: [{conditionType: lb}]}}}}`)
		}, "", ""},
		{"grace", patching("workload", `{spec: {template: {spec: {terminationGracePeriodSeconds: 0}}}}`), "no-grace-period", "is 0"},
		{"pre stop", func(w *world) { w.container(`{lifecycle: null}`) }, "no-pre-stop", "preStop"},
		{"no ports", func(w *world) { w.container(`{ports: null}`) }, "queue-consumer", "queue"},
		{"service without ports", patching("service", `{spec: {clusterIP: None, ports: null}}`), "queue-consumer", "queue"},
	}
}

func ownerCases() []judged {
	return []judged{
		{"operator", patching("workload", `{metadata: {ownerReferences: [{apiVersion: apps.example.com/v1, kind: Website, name: shop, uid: u}]}}`), "owned", "Website/shop"},
		{"vpa", adding(vpa("Recreate")), "vertical-autoscaler", "Recreate"},
		{"vpa by default", adding(vpa(`""`)), "vertical-autoscaler", "Auto"},
		{"vpa off", adding(vpa("Initial")), "", ""},
		{"argo annotation", patching("workload", `{metadata: {annotations: {argocd.argoproj.io/tracking-id: "shop:apps/Deployment:shop/checkout"}}}`), "gitops", "application shop"},
		{"argo annotation of another", patching("workload", `{metadata: {annotations: {argocd.argoproj.io/tracking-id: "shop:apps/Deployment:shop/other"}}}`), "", ""},
		{"argo label on the route", patching("route", `{metadata: {labels: {argocd.argoproj.io/instance: web}}}`), "gitops", "would change /spec/rules back"},
		{"flux", patching("workload", flux("")), "gitops", "Kustomization flux-system/apps"},
		{"flux told not to", patching("workload", flux(`, annotations: {kustomize.toolkit.fluxcd.io/reconcile: disabled}`)), "", ""},
		{"flux helm on the scaler", adding(`{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: checkout, namespace: shop,
  labels: {helm.toolkit.fluxcd.io/name: checkout, helm.toolkit.fluxcd.io/namespace: shop}}, spec: {maxReplicas: 9, scaleTargetRef: {kind: Deployment, name: checkout}}}`), "gitops", "HelmRelease shop/checkout"},
		{"helm", patching("workload", `{metadata: {labels: {app.kubernetes.io/managed-by: Helm}, annotations: {meta.helm.sh/release-name: shop-release}}}`), "helm", "shop-release"},
	}
}

func vpa(mode string) string {
	return `{apiVersion: autoscaling.k8s.io/v1, kind: VerticalPodAutoscaler, metadata: {name: checkout, namespace: shop},
  spec: {targetRef: {kind: Deployment, name: checkout}, updatePolicy: {updateMode: ` + mode + `}}}`
}

func flux(more string) string {
	return `{metadata: {labels: {kustomize.toolkit.fluxcd.io/name: apps, kustomize.toolkit.fluxcd.io/namespace: flux-system}` + more + `}}`
}

func serviceCases() []judged {
	return []judged{
		{"not ready", patching("service", `{spec: {publishNotReadyAddresses: true}}`), "not-ready-addresses", "publishNotReadyAddresses"},
		{"client ip", patching("service", `{spec: {sessionAffinity: ClientIP}}`), "session-affinity", "ClientIP"},
		{"another selects the candidate", func(w *world) {
			w.add(`{apiVersion: v1, kind: Service, metadata: {name: team, namespace: shop}, spec: {selector: {team: pay}, ports: [{port: 80}]}}`)
			w.deploy.Spec.Service = "checkout"
		}, "shared-selector", "Service/team"},
		{"another selects the base only", func(w *world) {
			w.add(`{apiVersion: v1, kind: Service, metadata: {name: same, namespace: shop}, spec: {selector: {app: checkout}, ports: [{port: 80}]}}`)
			w.deploy.Spec.Service = "checkout"
		}, "", ""},
		{"another Deployment behind it", adding(`{apiVersion: apps/v1, kind: Deployment, metadata: {name: blue, namespace: shop},
  spec: {selector: {matchLabels: {v: blue}}, template: {metadata: {labels: {app: checkout, v: blue}}, spec: {containers: [{name: a, image: b}]}}}}`), "shared-service", "blue"},
		{"ingress", adding(`{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: old, namespace: shop},
  spec: {rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: checkout, port: {number: 80}}}}]}}]}}`), "other-ingress", "Ingress/old"},
		{"ingress default", adding(`{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: old, namespace: shop},
  spec: {defaultBackend: {service: {name: checkout, port: {number: 80}}}}}`), "other-ingress", "Ingress/old"},
		{"ingress elsewhere", adding(`{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: old, namespace: shop},
  spec: {defaultBackend: {service: {name: cart, port: {number: 80}}}}}`), "", ""},
	}
}

func rules(text string) string { return "{spec: {rules: " + text + "}}" }

func routeCases() []judged {
	backends := make([]string, maxBackends-1)
	for i := range backends {
		backends[i] = fmt.Sprintf("{name: s%d, port: 80}", i)
	}
	return []judged{
		{"persistence", patching("route", rules(`[{sessionPersistence: {type: Cookie}, backendRefs: [{name: checkout, port: 80}]}]`)), "session-persistence", "sessionPersistence"},
		{"beside others", patching("route", rules(`[{backendRefs: [{name: checkout, port: 80, weight: 9}, {name: legacy, port: 80}]}]`)), "shared-rule", "legacy"},
		{"no room", patching("route", rules(`[{backendRefs: [{name: checkout, port: 80}, `+strings.Join(backends, ", ")+`]}]`)), "rule-limit", "16 backends"},
		{"weights too large", patching("route", rules(`[{backendRefs: [{name: checkout, port: 80, weight: 20000}, {name: legacy, port: 80}]}]`)), "rule-limit", "20000"},
		{"a fraction", func(w *world) {
			w.deploy.Spec.Strategy.Canary.Steps[0].Weight = 1 // a thousandth of a percent
			w.patch("route", rules(`[{backendRefs: [{name: checkout, port: 80, weight: 50}, {name: legacy, port: 80}]}]`))
		}, "rule-limit", "0.001%"},
		{"a large weight alone", patching("route", rules(`[{backendRefs: [{name: checkout, port: 80, weight: 20000}]}]`)), "", ""},
		{"weight 0", patching("route", rules(`[{backendRefs: [{name: checkout, port: 80, weight: 0}, {name: legacy, port: 80}]}]`)), "zero-weight", "weight 0"},
		{"another rule", func(w *world) {
			w.deploy.Spec.Traffic.GatewayAPI.Rules = []string{"api"}
			w.patch("route", rules(`[{name: api, backendRefs: [{name: checkout, port: 80}]}, {name: web, backendRefs: [{name: checkout, port: 80}]}]`))
		}, "other-route", "rule web"},
		{"another route", adding(`{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: mobile, namespace: shop},
  spec: {rules: [{backendRefs: [{name: checkout, port: 80}]}]}}`), "other-route", "HTTPRoute/mobile"},
		{"refused by a gateway", patching("route", `{status: {parents: null}}`), "route-not-accepted", "no controller has answered"},
		{"no gateway", patching("route", `{spec: {parentRefs: null}}`), "route-not-accepted", "names no gateway"},
		{"grant by name", fromFront(`{name: checkout, kind: Service, group: ""}`), "reference-grant", "ReferenceGrant/front"},
		{"grant for all", fromFront(`{kind: Service, group: ""}`), "", ""},
	}
}

// fromFront moves the route into another namespace.
func fromFront(to string) func(*world) {
	return func(w *world) {
		w.deploy.Spec.Traffic.GatewayAPI = &spec.GatewayAPI{Routes: []spec.RouteRef{{Kind: spec.KindHTTPRoute, Name: "checkout", Namespace: "front"}}}
		w.patch("route", `{metadata: {namespace: front}}`)
		w.patch("route", rules(`[{backendRefs: [{name: checkout, namespace: shop, port: 80}]}]`))
		w.add(`{apiVersion: gateway.networking.k8s.io/v1beta1, kind: ReferenceGrant, metadata: {name: front, namespace: shop},
  spec: {from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: front}], to: [` + to + `]}}`)
	}
}

func quota(spec, status string) func(*world) {
	return adding(`{apiVersion: v1, kind: ResourceQuota, metadata: {name: limits, namespace: shop}, spec: ` + spec + `, status: ` + status + `}`)
}

func quotaCases() []judged {
	return []judged{
		{"pods", quota(`{hard: {pods: "8"}}`, `{hard: {pods: "8"}, used: {pods: "4"}}`), "quota", "pods: 5 more are needed, 4 of 8 are left"}, // 4 + 25 % surge
		{"enough pods", quota(`{hard: {pods: "9"}}`, `{hard: {pods: "9"}, used: {pods: "4"}}`), "", ""},
		{"cpu", quota(`{hard: {requests.cpu: 800m}}`, `{hard: {requests.cpu: 800m}, used: {requests.cpu: 400m}}`), "quota", "requests.cpu: 500m more"},
		{"memory", quota(`{hard: {memory: 512Mi}}`, `{hard: {memory: 512Mi}, used: {memory: 256Mi}}`), "quota", "memory: 320Mi more"},
		{"no status yet", quota(`{hard: {limits.memory: 128Mi}}`, `{}`), "quota", "limits.memory"},
		{"other things", quota(`{hard: {count/secrets: "0", requests.storage: "0", services.loadbalancers: "0"}}`, `{}`), "", ""},
		{"other scope", quota(`{hard: {pods: "0"}, scopes: [BestEffort]}`, `{}`), "", ""},
		{"our scope", quota(`{hard: {pods: "0"}, scopes: [NotBestEffort, NotTerminating]}`, `{}`), "quota", "pods"},
		{"other priority", quota(`{hard: {pods: "0"}, scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: In, values: [high]}]}}`, `{}`), "", ""},
	}
}

func claim(mode string) func(*world) {
	return func(w *world) {
		w.patch("workload", `{spec: {template: {spec: {volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]}}}}`)
		w.add(`{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data, namespace: shop}, spec: {accessModes: [` + mode + `]}}`)
	}
}

// nodes gives the cluster so many nodes, and the workload something that keeps its pods apart.
func nodes(n int, template string) func(*world) {
	return func(w *world) {
		w.patch("workload", `{spec: {template: {spec: `+template+`}}}`)
		for i := range n {
			w.add(fmt.Sprintf(`{apiVersion: v1, kind: Node, metadata: {name: n%d}, status: {conditions: [{type: Ready, status: "True"}]}}`, i))
		}
		w.add(`{apiVersion: v1, kind: Node, metadata: {name: cordoned}, spec: {unschedulable: true}}`)
	}
}

func apart(labels string) string {
	return `{affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: ` + labels + `}}]}}}`
}

func placementCases() []judged {
	return []judged{
		{"one node", claim("ReadWriteOnce"), "single-mount-volume", "pods of one node only"},
		{"one pod", claim("ReadWriteOncePod"), "single-mount-volume", "one pod only"},
		{"many", claim("ReadWriteMany"), "", ""},
		{"own kind apart", nodes(3, apart("{app: checkout}")), "too-few-nodes", "4 pods"},
		{"own kind apart, enough", nodes(4, apart("{app: checkout}")), "", ""},
		{"all apart", nodes(7, apart("{team: pay}")), "too-few-nodes", "8 pods"},
		{"all apart, enough", nodes(8, apart("{team: pay}")), "", ""},
		{"host port", func(w *world) {
			w.container(`{ports: [{containerPort: 8080, hostPort: 8080}]}`)
			nodes(7, `{}`)(w)
		}, "too-few-nodes", "8 pods"},
		{"host port, enough", func(w *world) {
			w.container(`{ports: [{containerPort: 8080, hostPort: 8080}]}`)
			nodes(8, `{}`)(w)
		}, "host-port", "hostPort"},
		{"host network", patching("workload", `{spec: {template: {spec: {hostNetwork: true}}}}`), "host-port", "hostNetwork"},
	}
}

func nameCases() []judged {
	long := strings.Repeat("a", 63)
	return []judged{
		{"deployment", adding(`{apiVersion: apps/v1, kind: Deployment, metadata: {name: checkout-candidate, namespace: shop},
  spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: b}]}}}}`), "name-taken", "Deployment/checkout-candidate"},
		{"service", adding(`{apiVersion: v1, kind: Service, metadata: {name: checkout-candidate, namespace: shop}, spec: {ports: [{port: 80}]}}`), "name-taken", "Service/checkout-candidate"},
		{"label", patching("workload", `{spec: {template: {metadata: {labels: {x: `+long+`a}}}}}`), "name-too-long", "63"},
		{"long names are cut", func(w *world) {
			w.patch("workload", `{metadata: {name: `+long+`}, spec: {selector: {matchLabels: {app: `+long+`}}, template: {metadata: {labels: {app: `+long+`}}}}}`)
			w.patch("service", `{spec: {selector: {app: `+long+`}}}`)
			w.deploy.Spec.Workload.Name = long
		}, "", ""},
	}
}
