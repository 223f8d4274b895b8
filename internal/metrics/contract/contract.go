package contract

import (
	"fmt"
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/metrics"
)

// Run checks a provider.
func Run(t *testing.T, h Harness) {
	t.Run("answers", func(t *testing.T) { answers(t, h) })
	t.Run("refusals", func(t *testing.T) { refusals(t, h) })
	t.Run("trouble", func(t *testing.T) { trouble(t, h) })
	t.Run("bodies", func(t *testing.T) { bodies(t, h) })
	t.Run("time", func(t *testing.T) { timely(t, h) })
	t.Run("addresses", func(t *testing.T) { addresses(t, h) })
}

func answers(t *testing.T, h Harness) {
	at := time.Unix(1_700_000_000, 0)
	for _, tt := range []struct {
		name   string
		values []float64
		skip   bool
	}{
		{name: "number", values: []float64{0.25}},
		{name: "zero", values: []float64{0}},
		{name: "small", values: []float64{1.5e-9}},
		{name: "empty vector", values: []float64{}},
		{name: "several series", values: []float64{1, 2, 3}},
		{name: "NaN", values: []float64{math.NaN()}, skip: h.NoNaN},
		{name: "Inf", values: []float64{math.Inf(1)}, skip: h.NoInf},
		{name: "minus Inf", values: []float64{math.Inf(-1)}, skip: h.NoInf},
	} {
		if tt.skip {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			var sent []metrics.Series
			for i, v := range tt.values {
				sent = append(sent, metrics.Series{Labels: map[string]string{"pod": fmt.Sprintf("pod-%d", i)}, Value: v, At: at})
			}
			d := open(t, h, func(_ int, w http.ResponseWriter, r *http.Request) {
				if got := h.Asked(r); got != h.Query {
					t.Errorf("asked %q, want %q", got, h.Query)
				}
				if !h.Authorized(r) {
					t.Error("the credentials did not arrive")
				}
				h.Answer(w, sent)
			})
			got, err := d.ask(t)
			if err != nil {
				t.Fatal(err)
			}
			same(t, got.Series, sent)
			if n := d.requests.Load(); n != 1 {
				t.Errorf("%d requests for one query", n)
			}
		})
	}
}

// same compares series regardless of their order.
func same(t *testing.T, got, want []metrics.Series) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d series, want %d", len(got), len(want))
	}
	byPod := map[string]metrics.Series{}
	for _, s := range got {
		byPod[s.Labels["pod"]] = s
	}
	for _, w := range want {
		g, ok := byPod[w.Labels["pod"]]
		if !ok {
			t.Errorf("series %v is missing in %v", w.Labels, got)
			continue
		}
		if g.Value != w.Value && !(math.IsNaN(g.Value) && math.IsNaN(w.Value)) {
			t.Errorf("value of %v: got %v, want %v", w.Labels, g.Value, w.Value)
		}
		if !g.At.IsZero() && !g.At.Equal(w.At) {
			t.Errorf("time of %v: got %v, want %v", w.Labels, g.At, w.At)
		}
	}
}

func refusals(t *testing.T, h Harness) {
	t.Run("bad query", func(t *testing.T) {
		d := open(t, h, func(_ int, w http.ResponseWriter, _ *http.Request) { h.BadQuery(w, "cannot read \"(\" with "+Secret) })
		_, err := d.ask(t)
		refuse(t, err, metrics.ErrRefused, fmt.Sprintf("%q", metrics.Shorten(h.Query, 200)), `cannot read "("`)
		if n := d.requests.Load(); n != 1 {
			t.Errorf("asked %d times for what will not change", n)
		}
	})
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			d := open(t, h, func(_ int, w http.ResponseWriter, r *http.Request) {
				h.Failure(w, status, "who is "+r.Header.Get("Authorization")+Secret+"?\n::error::x")
			})
			_, err := d.ask(t)
			refuse(t, err, metrics.ErrAuth, fmt.Sprint(status), "who is")
			if n := d.requests.Load(); n != 1 {
				t.Errorf("asked %d times for what will not change", n)
			}
		})
	}
}
