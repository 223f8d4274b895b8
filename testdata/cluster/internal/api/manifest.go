package api

import (
	"bytes"
	"fmt"
	"regexp"
)

// Manifest is one object as its publisher wrote it.
type Manifest struct {
	Kind, Namespace, Name string
	YAML                  []byte
}

// paths say where objects of a kind live.
var paths = map[string]string{
	"CustomResourceDefinition": "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/",
	"Namespace":                "/api/v1/namespaces/",
	"GatewayClass":             "/apis/gateway.networking.k8s.io/v1/gatewayclasses/",
	"Gateway":                  "/apis/gateway.networking.k8s.io/v1/namespaces/%s/gateways/",
	"IngressClass":             "/apis/networking.k8s.io/v1/ingressclasses/",
}

func (m Manifest) path() (string, error) {
	p, ok := paths[m.Kind]
	if !ok || m.Name == "" {
		return "", fmt.Errorf("cannot apply a %q named %q: add its kind to api.paths", m.Kind, m.Name)
	}
	if m.Namespace != "" {
		p = fmt.Sprintf(p, m.Namespace)
	}
	return p + m.Name, nil
}

var (
	separator = regexp.MustCompile(`(?m)^---[ \t]*$`)
	kind      = regexp.MustCompile(`(?m)^kind:[ \t]*(\S+)`)
	metadata  = regexp.MustCompile(`(?m)^metadata:[ \t]*\n((?:[ \t]+.*\n|[ \t]*\n)*)`)
	name      = regexp.MustCompile(`(?m)^  name:[ \t]*"?([^"\s]+)`)
	namespace = regexp.MustCompile(`(?m)^  namespace:[ \t]*"?([^"\s]+)`)
)

// Split parts a file of manifests in the usual block style. A document without a kind is left out.
func Split(file []byte) []Manifest {
	var all []Manifest
	for _, doc := range separator.Split(string(bytes.TrimSpace(file))+"\n", -1) {
		k := first(kind, doc)
		if k == "" {
			continue
		}
		meta := first(metadata, doc)
		all = append(all, Manifest{Kind: k, Name: first(name, meta), Namespace: first(namespace, meta), YAML: []byte(doc)})
	}
	return all
}

func first(re *regexp.Regexp, s string) string {
	if m := re.FindStringSubmatch(s); m != nil {
		return m[1]
	}
	return ""
}
