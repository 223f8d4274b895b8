package kube

import (
	"context"
	"fmt"
	"sort"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
)

// Logs reads the end of a container's log. It is an interface of its own because the dynamic client cannot.
type Logs interface {
	// Tail returns the last lines; previous asks for the container's run before its last restart.
	Tail(ctx context.Context, namespace, pod, container string, lines int, previous bool) (string, error)
}

// lastLines is how much of a log is shown as last words.
const lastLines = 20

// WithLogs lets the client read logs.
func (c *Client) WithLogs(l Logs) *Client {
	c.logs = l
	return c
}

// LastWords are the last lines of a crashed container, of its last run that ended if there is one.
func (c *Client) LastWords(ctx context.Context, namespace, pod, container string) (string, error) {
	if c.logs == nil {
		return "", nil
	}
	words, err := c.logs.Tail(ctx, namespace, pod, container, lastLines, true)
	if err != nil || noWords(words) {
		words, err = c.logs.Tail(ctx, namespace, pod, container, lastLines, false)
	}
	if noWords(words) {
		words = ""
	}
	return strings.TrimSpace(words), err
}

// noWords tells whether a log holds nothing, or the kubelet's own words in its place: it says so with status 200 when the
// log of the run before is gone.
func noWords(log string) bool {
	log = strings.TrimSpace(log)
	return log == "" || strings.HasPrefix(log, "unable to retrieve container logs")
}

// Warnings are the Warning events about a pod, newest last, five at most.
func (c *Client) Warnings(ctx context.Context, namespace, pod string) ([]string, error) {
	items, err := c.ListFields(ctx, "v1", "Event", namespace, "involvedObject.name="+pod+",type=Warning")
	if err != nil {
		return nil, err
	}
	sort.SliceStable(items, func(i, j int) bool { return lastSeen(items[i]) < lastSeen(items[j]) })
	var lines []string
	for _, e := range items {
		lines = append(lines, fmt.Sprintf("%s: %s", text(e.Object["reason"]), text(e.Object["message"])))
	}
	const most = 5
	return lines[max(0, len(lines)-most):], nil
}

func lastSeen(e unstructured.Unstructured) string {
	for _, field := range []string{"lastTimestamp", "eventTime", "firstTimestamp"} {
		if t := text(e.Object[field]); t != "" {
			return t
		}
	}
	return e.GetCreationTimestamp().UTC().Format(metav1.RFC3339Micro)
}

// RESTLogs reads logs through a REST client.
type RESTLogs struct{ client rest.Interface }

var _ Logs = RESTLogs{}

// NewRESTLogs returns a reader of logs for a cluster.
func NewRESTLogs(config *rest.Config) (RESTLogs, error) {
	c := rest.CopyConfig(config)
	c.APIPath, c.GroupVersion = "/api", &schema.GroupVersion{Version: "v1"}
	c.NegotiatedSerializer = serializer.NewCodecFactory(runtime.NewScheme()).WithoutConversion()
	client, err := rest.RESTClientFor(c)
	if err != nil {
		return RESTLogs{}, fmt.Errorf("client for logs: %w", err)
	}
	return RESTLogs{client: client}, nil
}

// Tail implements Logs.
func (l RESTLogs) Tail(ctx context.Context, namespace, pod, container string, lines int, previous bool) (string, error) {
	const most = 16 << 10
	raw, err := l.client.Get().Namespace(namespace).Resource("pods").Name(pod).SubResource("log").
		Param("container", container).Param("tailLines", fmt.Sprint(lines)).Param("limitBytes", fmt.Sprint(most)).
		Param("previous", fmt.Sprint(previous)).Do(ctx).Raw()
	return string(raw), err
}
