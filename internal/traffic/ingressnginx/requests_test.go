package ingressnginx

import (
	"context"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/sandbox/apiserver"
	"github.com/tidegate/tidegate/internal/sandbox/gateway"
)

// world is a gateway before the Services of base, candidate and another one, with the user's Ingress.
type world struct {
	t       *testing.T
	api     *apiserver.Server
	gateway *gateway.Gateway
	traffic plan.Traffic
	user    *unstructured.Unstructured
	beside  *unstructured.Unstructured // not created yet
	reached atomic.Int64               // requests that came to the candidate, copies among them
}

var ingresses = schema.GroupVersionResource{Group: "networking.k8s.io", Version: "v1", Resource: "ingresses"}

func inWorld(t *testing.T, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, api: apiserver.New(apiserver.Options{}), user: read(t, users)}
		w.create(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}, `{metadata: {name: shop}}`)
		for _, name := range []string{"checkout", "checkout-candidate", "cdn"} {
			w.create(schema.GroupVersionResource{Version: "v1", Resource: "services"}, `{metadata: {name: `+name+`, namespace: shop}, spec: {ports: [{port: 80}]}}`)
			w.create(schema.GroupVersionResource{Group: "discovery.k8s.io", Version: "v1", Resource: "endpointslices"}, `{metadata: {name: `+name+`, namespace: shop,
  labels: {kubernetes.io/service-name: `+name+`}}, endpoints: [{addresses: [`+name+`], conditions: {ready: true}}]}`)
		}
		w.create(ingresses, users)
		w.traffic, w.beside = made(t, w.user)
		ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
		w.gateway = gateway.Start(ctx, w.api, gateway.Options{Clock: clock.Real{}, Delay: 100 * time.Millisecond, Dial: func(ip string) http.Handler {
			if ip == "checkout-candidate" {
				w.reached.Add(1)
			}
			return http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(answer, ip) })
		}})
		defer func() {
			cancel()
			w.gateway.Wait()
			w.api.Close()
		}()
		test(w)
	})
}

func (w *world) create(gvr schema.GroupVersionResource, text string) {
	w.t.Helper()
	if _, err := w.api.Create(gvr, read(w.t, text).Object); err != nil {
		w.t.Fatal(err)
	}
}

// besides creates the Ingress that the rollout makes.
func (w *world) besides() {
	w.t.Helper()
	if _, err := w.api.Create(ingresses, w.beside.DeepCopy().Object); err != nil {
		w.t.Fatal(err)
	}
	w.lag()
}

func (w *world) lag() {
	time.Sleep(time.Second)
	synctest.Wait()
}

// edit has the kind edit both Ingresses, the user's first.
func (w *world) edit(how func(o *unstructured.Unstructured) (bool, error)) {
	w.t.Helper()
	for _, ref := range append(w.traffic.Routes, w.traffic.Own...) {
		if _, err := w.api.Mutate(ingresses, apiserver.Key{Namespace: ref.Namespace, Name: ref.Name}, func(o map[string]any) {
			if _, err := how(&unstructured.Unstructured{Object: o}); err != nil {
				w.t.Error(err)
			}
		}); err != nil {
			w.t.Fatal(err)
		}
	}
	w.lag()
}

func (w *world) split(s plan.Split) {
	w.edit(func(o *unstructured.Unstructured) (bool, error) { return Kind{}.Split(o, w.traffic, mark, s) })
}

// share is the part of 400 requests that the candidate answers.
func (w *world) share(path string, header ...string) float64 {
	const asked = 400
	got := 0
	for range asked {
		r := httptest.NewRequest(http.MethodGet, "http://shop.example"+path, nil)
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		answer := httptest.NewRecorder()
		w.gateway.ServeHTTP(answer, r)
		if answer.Body.String() == "checkout-candidate" {
			got++
		}
	}
	return float64(got) / asked
}

func TestRequestsFollowTheSplit(t *testing.T) {
	staff, browser := []string{"X-Staff", "1"}, []string{"Cookie", "a=b; staff=always"}
	inWorld(t, func(w *world) {
		w.besides()
		if got := w.share("/"); got != 0 {
			t.Errorf("before any split the candidate gets %v", got)
		}
		for _, s := range []plan.Split{{Ring: header}, {Ring: cookie}, {Weight: 25 * plan.OnePercent, Ring: header}, {Weight: 25*plan.OnePercent + 500},
			{Weight: plan.All, Ring: header}, {Weight: 50 * plan.OnePercent}} {
			w.split(s)
			want := float64(s.Weight) / float64(plan.All)
			for _, path := range []string{"/", "/any", "/api"} {
				if got := w.share(path); math.Abs(got-want) > 0.13 || (want == 0 || want == 1) && got != want {
					t.Errorf("%s: %s gets %v", s, path, got)
				}
			}
			if got := w.share("/static/x", staff...); got != 0 {
				t.Errorf("%s: the path of another Service gets %v", s, got)
			}
			for _, ring := range []struct {
				has  bool
				sent []string
			}{{len(s.Ring) > 0 && s.Ring[0].Header != "", staff}, {len(s.Ring) > 0 && s.Ring[0].Cookie != "", browser}} {
				if got := w.share("/", ring.sent...); ring.has && got != 1 || !ring.has && math.Abs(got-want) > 0.13 {
					t.Errorf("%s: requests with %v get %v", s, ring.sent, got)
				}
			}
		}
		w.edit(func(o *unstructured.Unstructured) (bool, error) { return Kind{}.Restore(o, w.traffic, mark, nil) })
		if got := w.share("/", staff...); got != 0 {
			t.Errorf("after the way back the candidate gets %v", got)
		}
	})
}

// The candidate meets nobody while it is made, whichever of its objects comes first, and nobody when the Ingress goes.
func TestNobodyMeetsTheCandidateUnasked(t *testing.T) {
	inWorld(t, func(w *world) {
		seen := 0.0
		w.api.OnWrite(func(apiserver.Write) { seen += w.share("/") })
		w.besides()
		for range 30 {
			time.Sleep(10 * time.Millisecond)
			seen += w.share("/")
		}
		if seen != 0 {
			t.Errorf("the candidate got %v", seen)
		}
	})
}

// While requests are copied every answer is the base's, and the candidate sees as many requests as there are.
func TestCopiesComeToTheCandidateUnseen(t *testing.T) {
	inWorld(t, func(w *world) {
		if _, err := w.api.Mutate(ingresses, apiserver.Key{Namespace: "shop", Name: "web"}, func(o map[string]any) { o["spec"] = plain(t, "").Object["spec"] }); err != nil {
			t.Fatal(err)
		}
		w.traffic.Own = nil
		w.split(plan.Split{Mirror: plan.All})
		if got := w.share("/"); got != 0 {
			t.Errorf("users see %v of the candidate's answers", got)
		}
		synctest.Wait()
		if got := w.reached.Load(); got != 400 {
			t.Errorf("%d copies of 400 requests", got)
		}
		w.edit(func(o *unstructured.Unstructured) (bool, error) { return Kind{}.Restore(o, w.traffic, mark, nil) })
		w.share("/")
		synctest.Wait()
		if got := w.reached.Load(); got != 400 {
			t.Errorf("%d copies after the way back", got-400)
		}
	})
}
