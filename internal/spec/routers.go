package spec

// Traefik names the TraefikService that carries the workload's requests.
type Traefik struct {
	Service string `json:"service" spec:"required,format=subdomain" doc:"the TraefikService, in the workload's namespace, that IngressRoutes send to"`
}

// IngressNginx names the Ingress that carries the workload's requests.
type IngressNginx struct {
	Ingress string `json:"ingress" spec:"required,format=subdomain" doc:"the Ingress, in the workload's namespace; a second one with canary annotations is made beside it"`
}

// Istio names the VirtualService that carries the workload's requests.
type Istio struct {
	VirtualService string   `json:"virtualService" spec:"required,format=subdomain" doc:"the VirtualService, in the workload's namespace"`
	Routes         []string `json:"routes,omitempty" spec:"nonempty" doc:"names of its HTTP routes to steer; every one with the workload's Service when left out"`
	Subsets        []string `json:"subsets,omitempty" spec:"nonempty" doc:"subsets of a DestinationRule that are the base; every destination with the workload's Service when left out"`
}

// ALB names the Ingress of the AWS Load Balancer Controller whose action divides the workload's requests.
type ALB struct {
	Ingress string `json:"ingress" spec:"required,format=subdomain" doc:"the Ingress, in the workload's namespace"`
	Action  string `json:"action,omitempty" spec:"format=name" doc:"name of the action annotation; the workload's Service when left out"`
}

// Contour names the HTTPProxy that carries the workload's requests.
type Contour struct {
	HTTPProxy string `json:"httpProxy" spec:"required,format=subdomain" doc:"the HTTPProxy, in the workload's namespace"`
}

// APISIX names the ApisixRoute that carries the workload's requests.
type APISIX struct {
	Route string `json:"route" spec:"required,format=subdomain" doc:"the ApisixRoute, in the workload's namespace"`
}

// Kong names the HTTPRoute of Kong's gateway that carries the workload's requests.
type Kong struct {
	HTTPRoute string `json:"httpRoute" spec:"required,format=subdomain" doc:"the HTTPRoute, in the workload's namespace"`
}

// Linkerd names the HTTPRoute of Linkerd's own group that carries the workload's requests.
type Linkerd struct {
	HTTPRoute string `json:"httpRoute" spec:"required,format=subdomain" doc:"the HTTPRoute of policy.linkerd.io, in the workload's namespace"`
}

// SMI names the TrafficSplit that carries the workload's requests.
type SMI struct {
	TrafficSplit string `json:"trafficSplit" spec:"required,format=subdomain" doc:"the TrafficSplit, in the workload's namespace"`
}

// Custom describes a router by the fields of its object, so that none needs code.
type Custom struct {
	Object   ObjectRef    `json:"object" spec:"required" doc:"the object that divides the requests"`
	Weights  SidePaths    `json:"weights" spec:"required" doc:"where the weights of the two versions stand"`
	Matches  *MatchesPath `json:"matches,omitempty" doc:"where requests of the internal ring are told apart; without it there can be none"`
	Mirror   *MirrorPath  `json:"mirror,omitempty" doc:"where a copy of the requests is asked for; without it none can be had"`
	Accepted string       `json:"accepted,omitempty" doc:"expression over object, metadata, spec and status that is true when the data plane has taken the object"`
}

// ObjectRef names one object of any kind.
type ObjectRef struct {
	APIVersion string `json:"apiVersion" spec:"required" doc:"group and version"`
	Kind       string `json:"kind" spec:"required" doc:"kind"`
	Name       string `json:"name" spec:"required,format=subdomain" doc:"name"`
	Namespace  string `json:"namespace,omitempty" spec:"format=name" doc:"namespace; the workload's when left out"`
}

// SidePaths are the paths of one field for each of the two versions.
type SidePaths struct {
	Base      string `json:"base" spec:"required" doc:"path of the weight of the running version"`
	Candidate string `json:"candidate" spec:"required" doc:"path of the weight of the new version"`
	Total     int    `json:"total" spec:"default=100,min=1" doc:"sum of the two weights, where nothing else has one beside them"`
	Parts     bool   `json:"parts,omitempty" doc:"a greater sum is fine for shares that total cannot express, such as 0.5%"`
	Max       int    `json:"max,omitempty" spec:"min=1" doc:"the greatest weight that the object may have; unlimited when left out"`
	Absent    int    `json:"absent" spec:"default=1,min=0" doc:"what a weight that is left out counts among others"`
	Aside     string `json:"aside,omitempty" doc:"selector of elements of the same list that have no part in the division, such as [mirror=true]"`
}

// MatchesPath is where and how requests of a ring are sent to the new version, whatever the weights say.
type MatchesPath struct {
	Path   string `json:"path" spec:"required" doc:"path, of fields only, of the list before whose rules those of the ring are put"`
	Header string `json:"header" spec:"required,format=template" doc:"rule, or list of rules, as YAML, that sends requests with all headers of the ring to {{.Candidate}}: {{range .Headers}} gives {{.Header}} and {{.Value}}, each in quotes"`
	Cookie string `json:"cookie,omitempty" spec:"format=template" doc:"the same for a cookie: {{.Cookie}} and {{.Value}}, or {{.Pattern}}, a regular expression for the whole Cookie header, each in quotes; without it there can be no ring by cookie"`
}

// MirrorPath is where and how a copy of the requests is asked for.
type MirrorPath struct {
	Path  string `json:"path" spec:"required" doc:"path of a field that is set, or of an element that is added to a list"`
	Value string `json:"value" spec:"required" doc:"the field's value, or further fields of the element, as YAML, with {{.Percent}}"`
}
