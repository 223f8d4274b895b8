package ingressnginx

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
)

const (
	keyTarget     = prefix + "mirror-target"
	keyHost       = prefix + "mirror-host"
	keyRewrite    = prefix + "rewrite-target"
	keyProtocol   = prefix + "backend-protocol"
	askedHost     = "$host" // the copy asks for the host that the user asked for
	clusterDomain = "svc.cluster.local"
)

func mirrorKeys() []string { return []string{keyTarget, keyHost} }

// memo is what the mark keeps: the annotations that stood where ours are, nil for one that was not there.
type memo struct {
	Annotations map[string]*string `json:"annotations"`
}

// mirrorTo are the annotations by which an Ingress copies its requests to the candidate; nil when it does not.
func mirrorTo(route plan.Object, t plan.Traffic, share plan.Share) (map[string]string, error) {
	if share == 0 {
		return nil, nil
	}
	if share != plan.All {
		return nil, fmt.Errorf("mirror-target copies every request or none, not %s; write weight: 100%% in spec.strategy.shadow", share)
	}
	paths := pathsOf(route)
	if other := defaultService(route); other != "" {
		paths = append(paths, path{place: place{path: "its defaultBackend"}, service: other, port: portOf(at(route, "spec", "defaultBackend", "service"))})
	}
	for _, p := range paths {
		if p.service != t.Base {
			return nil, fmt.Errorf("mirror-target is for all of its paths, and %s%s sends to Service %s; move that path to an Ingress of its own", p.host, p.path, p.service)
		}
	}
	a := annotationsOf(route)
	if a[keyRewrite] != "" {
		return nil, errors.New("it changes the path of requests (rewrite-target), and the copies would have the old one; have the service take the path as it comes")
	}
	scheme, err := schemeOf(a[keyProtocol])
	if err != nil {
		return nil, err
	}
	ports := portsTo(paths, t.Base)
	if len(ports) != 1 {
		return nil, fmt.Errorf("mirror-target is one address, and its paths send to the ports %s; leave one", strings.Join(ports, ", "))
	}
	if _, err := strconv.Atoi(ports[0]); err != nil {
		return nil, fmt.Errorf("mirror-target takes the number of a port, and it names %q; write port: {number: ...} there", ports[0])
	}
	return map[string]string{keyTarget: address(scheme, t) + ports[0] + "$request_uri", keyHost: askedHost}, nil
}

func schemeOf(protocol string) (string, error) {
	switch strings.ToUpper(protocol) {
	case "", "HTTP":
		return "http", nil
	case "HTTPS":
		return "https", nil
	}
	return "", fmt.Errorf("its backend-protocol is %s, and copies are sent by HTTP or HTTPS only; use another strategy", protocol)
}

// address is how every target of ours begins, by which it is known for ours.
func address(scheme string, t plan.Traffic) string {
	return fmt.Sprintf("%s://%s.%s.%s:", scheme, t.Candidate, t.Namespace, clusterDomain)
}

func mirrorsTo(annotations map[string]string, t plan.Traffic) bool {
	target := annotations[keyTarget]
	return strings.HasPrefix(target, address("http", t)) || strings.HasPrefix(target, address("https", t))
}

func setMirror(route *unstructured.Unstructured, t plan.Traffic, mark string, wanted map[string]string) (bool, error) {
	present := route.GetAnnotations()
	data, err := json.Marshal(keep(present))
	if err != nil {
		return false, fmt.Errorf("keep the annotations of %s: %w", plan.RefOf(route.Object), err)
	}
	return reannotate(route, func(all map[string]string) {
		if _, sound := readMemo(present, mark); !sound && !mirrorsTo(present, t) {
			all[mark] = string(data) // where our own stand already, somebody took the mark away, and what was there is not known
		}
		maps.Copy(all, wanted)
	}), nil
}

// restoreMirror gives the user's own annotations back. One that somebody wrote over ours stays.
func restoreMirror(route *unstructured.Unstructured, t plan.Traffic, mark string, before plan.Object) bool {
	present := route.GetAnnotations()
	m, sound := readMemo(present, mark)
	if !sound {
		m = keep(annotationsOf(before))
	}
	return reannotate(route, func(all map[string]string) {
		delete(all, mark)
		if !mirrorsTo(present, t) {
			return
		}
		for _, key := range mirrorKeys() {
			switch old := m.Annotations[key]; {
			case key == keyHost && present[key] != askedHost:
			case old == nil:
				delete(all, key)
			default:
				all[key] = *old
			}
		}
	})
}

// keep is the memo of annotations as they are.
func keep(annotations map[string]string) memo {
	m := memo{Annotations: map[string]*string{}}
	for _, key := range mirrorKeys() {
		m.Annotations[key] = nil
		if value, there := annotations[key]; there {
			m.Annotations[key] = &value
		}
	}
	return m
}

func readMemo(annotations map[string]string, mark string) (memo, bool) {
	var m memo
	kept, ok := annotations[mark]
	return m, ok && json.Unmarshal([]byte(kept), &m) == nil && m.Annotations != nil
}
