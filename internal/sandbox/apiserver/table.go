package apiserver

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/duration"
)

// column is one that `kubectl get` prints between NAME and AGE.
type column struct {
	name  string
	value func(object map[string]any) string
}

// tableOf answers kubectl's wish for columns. body is an object or a list; what has no columns of its own shows name
// and age.
func (s *Server) tableOf(q *request, body []byte) []byte {
	object, err := decode(body)
	if err != nil || object["kind"] == "Status" {
		return body
	}
	table := metav1.Table{TypeMeta: metav1.TypeMeta{Kind: "Table", APIVersion: "meta.k8s.io/v1"}}
	table.ResourceVersion = stringAt(object, "metadata", "resourceVersion")
	columns := columnsOf(q.res.Plural)
	table.ColumnDefinitions = definitions(columns)
	items := []map[string]any{object}
	if object["kind"] == q.res.Kind+"List" {
		items = mapsIn(listAt(object, "items"))
	}
	for _, item := range items {
		table.Rows = append(table.Rows, s.row(q, columns, item))
	}
	if data, err := json.Marshal(table); err == nil {
		return data
	}
	return body
}

func definitions(columns []column) []metav1.TableColumnDefinition {
	list := []metav1.TableColumnDefinition{{Name: "Name", Type: "string", Format: "name"}}
	for _, c := range columns {
		list = append(list, metav1.TableColumnDefinition{Name: c.name, Type: "string"})
	}
	return append(list, metav1.TableColumnDefinition{Name: "Age", Type: "string"})
}

func (s *Server) row(q *request, columns []column, item map[string]any) metav1.TableRow {
	meta := mapAt(item, "metadata")
	cells := []any{stringAt(meta, "name")}
	for _, c := range columns {
		cells = append(cells, c.value(item))
	}
	age := "<unknown>"
	if t, err := time.Parse(time.RFC3339, stringAt(meta, "creationTimestamp")); err == nil {
		age = duration.HumanDuration(s.clock.Now().Sub(t))
	}
	partial, _ := json.Marshal(map[string]any{"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": meta})
	return metav1.TableRow{Cells: append(cells, age), Object: runtime.RawExtension{Raw: partial}}
}

func columnsOf(plural string) []column {
	count := func(path ...string) func(map[string]any) string {
		return func(o map[string]any) string {
			n, _ := mapAt(o, path[:len(path)-1]...)[path[len(path)-1]].(int64)
			return fmt.Sprint(n)
		}
	}
	text := func(path ...string) func(map[string]any) string {
		return func(o map[string]any) string { return stringAt(o, path...) }
	}
	switch plural {
	case "pods":
		return []column{{"Ready", readyContainers}, {"Status", podState}, {"Restarts", restarts}}
	case "deployments":
		ready := func(o map[string]any) string {
			return count("status", "readyReplicas")(o) + "/" + count("spec", "replicas")(o)
		}
		return []column{{"Ready", ready}, {"Up-to-date", count("status", "updatedReplicas")}, {"Available", count("status", "availableReplicas")}}
	case "replicasets":
		return []column{{"Desired", count("spec", "replicas")}, {"Current", count("status", "replicas")}, {"Ready", count("status", "readyReplicas")}}
	case "services":
		return []column{{"Type", text("spec", "type")}, {"Cluster-IP", text("spec", "clusterIP")}, {"Port(s)", ports}}
	case "httproutes", "grpcroutes":
		return []column{{"Hostnames", func(o map[string]any) string { return fmt.Sprint(listAt(o, "spec", "hostnames")) }}}
	case "events":
		return []column{{"Type", text("type")}, {"Reason", text("reason")}, {"Object", text("involvedObject", "name")}, {"Message", text("message")}}
	case "configmaps":
		return []column{{"Data", func(o map[string]any) string { return fmt.Sprint(len(mapAt(o, "data"))) }}}
	case "leases":
		return []column{{"Holder", text("spec", "holderIdentity")}}
	}
	return nil
}

func readyContainers(pod map[string]any) string {
	ready := 0
	for _, c := range mapsIn(listAt(pod, "status", "containerStatuses")) {
		if c["ready"] == true {
			ready++
		}
	}
	return fmt.Sprintf("%d/%d", ready, len(listAt(pod, "spec", "containers")))
}

// podState is the phase, or what stands in its way.
func podState(pod map[string]any) string {
	if mapAt(pod, "metadata")["deletionTimestamp"] != nil {
		return "Terminating"
	}
	for _, c := range mapsIn(listAt(pod, "status", "containerStatuses")) {
		if reason := stringAt(c, "state", "waiting", "reason"); reason != "" {
			return reason
		}
	}
	return stringAt(pod, "status", "phase")
}

func restarts(pod map[string]any) string {
	n := int64(0)
	for _, c := range mapsIn(listAt(pod, "status", "containerStatuses")) {
		more, _ := c["restartCount"].(int64)
		n += more
	}
	return fmt.Sprint(n)
}

func ports(service map[string]any) string {
	var list []string
	for _, p := range mapsIn(listAt(service, "spec", "ports")) {
		list = append(list, fmt.Sprintf("%v/%v", p["port"], p["protocol"]))
	}
	return strings.Join(list, ",")
}
