package e2e

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/tidegate/tidegate/internal/app"
)

const recreating = "{recreate: {hold: 3s}}"

// neverTwo follows the shop's pods until the end of the test, and wants those of one version only at any moment, the ending
// ones included.
func (s *shop) neverTwo() {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	all, err := client.Resource(pods).Namespace(s.namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	there := map[string]string{} // images by pod
	for _, p := range all.Items {
		there[p.GetName()] = imageOf(&p)
	}
	events, err := client.Resource(pods).Namespace(s.namespace).Watch(ctx, metav1.ListOptions{ResourceVersion: all.GetResourceVersion()})
	if err != nil {
		s.t.Fatal(err)
	}
	var watching sync.WaitGroup
	watching.Go(func() {
		for e := range events.ResultChan() {
			p, ok := e.Object.(*unstructured.Unstructured)
			if !ok {
				continue
			}
			if there[p.GetName()] = imageOf(p); e.Type == watch.Deleted {
				delete(there, p.GetName())
			}
			versions := map[string]bool{}
			for _, image := range there {
				versions[image] = true
			}
			if len(versions) > 1 {
				s.t.Errorf("pods of several versions at once: %v", there)
			}
		}
	})
	s.t.Cleanup(func() { cancel(); events.Stop(); watching.Wait() })
}

func imageOf(pod *unstructured.Unstructured) string {
	containers, _, _ := unstructured.NestedSlice(pod.Object, "spec", "containers")
	return fmt.Sprint(containers[0].(map[string]any)["image"])
}

// outage is for how long users got no answer since a moment: from the first request that was lost to the last.
func (s *shop) outage(since time.Time) time.Duration {
	var first, last time.Time
	for _, a := range s.users.Snapshot() {
		if a.Lost() && a.At.After(since) {
			if first.IsZero() {
				first = a.At
			}
			last = a.At
		}
	}
	return last.Sub(first)
}

// told is the outage that a run with -o json told of.
func (p *process) told() time.Duration {
	p.t.Helper()
	var r app.Result
	p.read(&r)
	return time.Duration(r.Outage * float64(time.Second))
}

// near wants the outage that was told to be the one that users saw, but for as much.
func (s *shop) near(told, seen, but time.Duration) {
	s.t.Helper()
	s.t.Logf("the outage is told to be %s, users saw %s", told.Round(time.Millisecond), seen.Round(time.Millisecond))
	if (told - seen).Abs() > but {
		s.t.Errorf("the outage is told to be %s, users saw %s", told, seen)
	}
}

// TestRecreateGood: never two versions at once, and the outage that is told is the one that users saw.
func TestRecreateGood(t *testing.T) {
	t.Parallel()
	s := open(t, layout{strategy: recreating})
	s.lossy = true
	s.neverTwo()
	begun := time.Now()
	p := s.deploy("v2", "-o", "json")
	p.want(0)
	s.near(p.told(), s.outage(begun), time.Second)
	s.whole("v2")
}

// TestRecreateBad: the old version is back, again by an exchange.
func TestRecreateBad(t *testing.T) {
	for _, c := range []struct {
		name, version string
		says          []string
	}{
		{"errors", "v3", []string{"rolled back", "errors"}},
		{"crash loop", "v6", []string{"rolled back", "/etc/checkout/config.yaml: no such file or directory"}},
		{"no such image", "nope", []string{"rolled back", "ImagePull"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, layout{strategy: recreating})
			s.lossy = true
			s.neverTwo()
			p := s.deploy(c.version)
			p.want(3)
			p.mentions(c.says...)
			p.mentions("no pod was ready for")
			s.whole("v1")
		})
	}
}

// TestRecreateKilled: when the runner dies the cluster finishes by itself; the next run tells of the whole outage.
func TestRecreateKilled(t *testing.T) {
	t.Parallel()
	s := open(t, layout{strategy: recreating})
	s.lossy = true
	s.neverTwo()
	begun := time.Now()
	p := s.deploy("v2")
	p.tells(`the workload: 0 of 3 pods are updated`)
	p.kill()
	eventually(t, 2*time.Minute, func() string {
		if n := s.ready("v2"); n != size {
			return fmt.Sprintf("%d pods of the new version are ready", n)
		}
		return ""
	})
	last := s.deploy("v2", "-o", "json")
	last.want(0)
	s.near(last.told(), s.outage(begun), 2*time.Second) // by times in whole seconds
	s.whole("v2")
}
