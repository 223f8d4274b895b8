package apiserver

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// complete sets what a real server sets when a client left it out; old is nil for a new object.
func (s *Server) complete(r *Resource, object, old map[string]any) {
	spec := mapAt(object, "spec")
	switch r.Plural {
	case "deployments", "statefulsets", "daemonsets", "replicasets":
		completeWorkload(r.Plural, ensure(object, "spec"))
	case "pods":
		completePod(ensure(object, "spec"))
	case "services":
		s.completeService(ensure(object, "spec"), mapAt(old, "spec"))
	case "secrets":
		completeSecret(object)
	case "horizontalpodautoscalers":
		setDefault(ensure(object, "spec"), "minReplicas", int64(1))
	case "networkpolicies":
		setDefault(ensure(object, "spec"), "policyTypes", []any{"Ingress"})
	case "httproutes":
		completeRoute(ensure(object, "spec"))
	case "grpcroutes":
		completeCalls(ensure(object, "spec"))
	case "gateways":
		for _, l := range mapsIn(listAt(spec, "listeners")) {
			setDefault(ensure(ensure(l, "allowedRoutes"), "namespaces"), "from", "Same")
		}
	case "namespaces":
		meta := ensure(object, "metadata")
		ensure(meta, "labels")["kubernetes.io/metadata.name"] = meta["name"]
		setDefault(object, "spec", map[string]any{"finalizers": []any{"kubernetes"}})
		setDefault(object, "status", map[string]any{"phase": "Active"})
	}
}

func completeWorkload(plural string, spec map[string]any) {
	if plural != "daemonsets" {
		setDefault(spec, "replicas", int64(1))
	}
	if plural != "replicasets" {
		setDefault(spec, "revisionHistoryLimit", int64(10))
	}
	switch plural {
	case "deployments":
		setDefault(spec, "progressDeadlineSeconds", int64(600))
		strategy := ensure(spec, "strategy")
		setDefault(strategy, "type", "RollingUpdate")
		if strategy["type"] == "RollingUpdate" {
			rolling := ensure(strategy, "rollingUpdate")
			setDefault(rolling, "maxSurge", "25%")
			setDefault(rolling, "maxUnavailable", "25%")
		}
	case "statefulsets":
		setDefault(spec, "podManagementPolicy", "OrderedReady")
		strategy := ensure(spec, "updateStrategy")
		setDefault(strategy, "type", "RollingUpdate")
		if strategy["type"] == "RollingUpdate" {
			setDefault(ensure(strategy, "rollingUpdate"), "partition", int64(0))
		}
	case "daemonsets":
		strategy := ensure(spec, "updateStrategy")
		setDefault(strategy, "type", "RollingUpdate")
		if strategy["type"] == "RollingUpdate" {
			rolling := ensure(strategy, "rollingUpdate")
			setDefault(rolling, "maxSurge", int64(0))
			setDefault(rolling, "maxUnavailable", int64(1))
		}
	}
	completePod(ensure(ensure(spec, "template"), "spec"))
}

func completePod(spec map[string]any) {
	setDefault(spec, "restartPolicy", "Always")
	setDefault(spec, "terminationGracePeriodSeconds", int64(30))
	setDefault(spec, "dnsPolicy", "ClusterFirst")
	setDefault(spec, "schedulerName", "default-scheduler")
	ensure(spec, "securityContext")
	for _, kind := range []string{"initContainers", "containers"} {
		for _, c := range mapsIn(listAt(spec, kind)) {
			completeContainer(c)
		}
	}
	for _, v := range mapsIn(listAt(spec, "volumes")) {
		for _, source := range []string{"configMap", "secret", "projected", "downwardAPI"} {
			if m := mapAt(v, source); m != nil {
				setDefault(m, "defaultMode", int64(420))
			}
		}
	}
}

func completeContainer(c map[string]any) {
	image, _ := c["image"].(string)
	policy := "IfNotPresent"
	if tag := image[strings.LastIndex(image, "/")+1:]; strings.HasSuffix(tag, ":latest") || !strings.ContainsAny(tag, ":@") {
		policy = "Always"
	}
	setDefault(c, "imagePullPolicy", policy)
	setDefault(c, "terminationMessagePath", "/dev/termination-log")
	setDefault(c, "terminationMessagePolicy", "File")
	limits, requests := mapAt(c, "resources", "limits"), mapAt(c, "resources", "requests")
	ensure(c, "resources")
	for k, v := range limits {
		if requests[k] == nil {
			ensure(mapAt(c, "resources"), "requests")[k] = v
		}
	}
	for _, p := range mapsIn(listAt(c, "ports")) {
		setDefault(p, "protocol", "TCP")
	}
	for _, kind := range []string{"readinessProbe", "livenessProbe", "startupProbe"} {
		if p := mapAt(c, kind); p != nil {
			completeProbe(p)
		}
	}
	for _, e := range mapsIn(listAt(c, "env")) {
		if ref := mapAt(e, "valueFrom", "fieldRef"); ref != nil {
			setDefault(ref, "apiVersion", "v1")
		}
	}
}

func completeProbe(p map[string]any) {
	setDefault(p, "timeoutSeconds", int64(1))
	setDefault(p, "periodSeconds", int64(10))
	setDefault(p, "successThreshold", int64(1))
	setDefault(p, "failureThreshold", int64(3))
	if get := mapAt(p, "httpGet"); get != nil {
		setDefault(get, "path", "/")
		setDefault(get, "scheme", "HTTP")
	}
}

func (s *Server) completeService(spec, old map[string]any) {
	setDefault(spec, "type", "ClusterIP")
	setDefault(spec, "sessionAffinity", "None")
	for _, p := range mapsIn(listAt(spec, "ports")) {
		setDefault(p, "protocol", "TCP")
		if v := p["targetPort"]; v == nil || v == int64(0) || v == "" {
			p["targetPort"] = p["port"]
		}
	}
	if spec["type"] == "ExternalName" {
		return
	}
	setDefault(spec, "internalTrafficPolicy", "Cluster")
	setDefault(spec, "ipFamilyPolicy", "SingleStack")
	setDefault(spec, "ipFamilies", []any{"IPv4"})
	if ip := stringAt(spec, "clusterIP"); ip == "" {
		spec["clusterIP"] = stringAt(old, "clusterIP")
	}
	if stringAt(spec, "clusterIP") == "" {
		s.serial++
		spec["clusterIP"] = fmt.Sprintf("10.96.%d.%d", s.serial/250%256, s.serial%250+1)
	}
	setDefault(spec, "clusterIPs", []any{spec["clusterIP"]})
}

func completeSecret(object map[string]any) {
	setDefault(object, "type", "Opaque")
	for k, v := range mapAt(object, "stringData") {
		text, _ := v.(string)
		ensure(object, "data")[k] = base64.StdEncoding.EncodeToString([]byte(text))
	}
	delete(object, "stringData")
}

// completeRoute sets the defaults of the Gateway API's CRD.
func completeRoute(spec map[string]any) {
	completeParents(spec)
	if len(listAt(spec, "rules")) == 0 {
		spec["rules"] = []any{map[string]any{}}
	}
	for _, rule := range mapsIn(listAt(spec, "rules")) {
		if len(listAt(rule, "matches")) == 0 {
			rule["matches"] = []any{map[string]any{}}
		}
		for _, m := range mapsIn(listAt(rule, "matches")) {
			path := ensure(m, "path")
			setDefault(path, "type", "PathPrefix")
			setDefault(path, "value", "/")
			completeHeaders(m)
		}
		completeBackends(rule)
	}
}

// completeCalls does it for a GRPCRoute, whose matches may be left out, and have no path.
func completeCalls(spec map[string]any) {
	completeParents(spec)
	for _, rule := range mapsIn(listAt(spec, "rules")) {
		for _, m := range mapsIn(listAt(rule, "matches")) {
			if call := mapAt(m, "method"); call != nil {
				setDefault(call, "type", "Exact")
			}
			completeHeaders(m)
		}
		completeBackends(rule)
	}
}

func completeParents(spec map[string]any) {
	for _, p := range mapsIn(listAt(spec, "parentRefs")) {
		setDefault(p, "group", "gateway.networking.k8s.io")
		setDefault(p, "kind", "Gateway")
	}
}

func completeHeaders(match map[string]any) {
	for _, kind := range []string{"headers", "queryParams"} {
		for _, h := range mapsIn(listAt(match, kind)) {
			setDefault(h, "type", "Exact")
		}
	}
}

func completeBackends(rule map[string]any) {
	for _, b := range mapsIn(listAt(rule, "backendRefs")) {
		completeBackend(b)
		setDefault(b, "weight", int64(1))
	}
	for _, f := range mapsIn(listAt(rule, "filters")) {
		if b := mapAt(f, "requestMirror", "backendRef"); b != nil {
			completeBackend(b)
		}
	}
}

func completeBackend(b map[string]any) {
	setDefault(b, "group", "")
	setDefault(b, "kind", "Service")
}
