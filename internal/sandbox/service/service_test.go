package service

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/clock"
)

func TestFromEnv(t *testing.T) {
	tests := []struct {
		name string
		env  map[string]string
		want Config
		err  string
	}{
		{name: "defaults", want: Config{Version: "dev", Grace: 3 * time.Second}},
		{name: "everything", env: map[string]string{"VERSION": "v9", "ERROR_RATE": "0.3", "ERROR_AFTER": "3s", "DELAY_MS": "300",
			"UNREADY": "true", "CRASH": "1", "RUDE": "true", "GRACE": "0s"},
			want: Config{Version: "v9", ErrorRate: .3, ErrorAfter: 3 * time.Second, Delay: 300 * time.Millisecond, Unready: true, Crash: true, Rude: true}},
		{name: "rate over one", env: map[string]string{"ERROR_RATE": "30"}, err: `ERROR_RATE="30"`},
		{name: "rate not a number", env: map[string]string{"ERROR_RATE": "NaN"}, err: "ERROR_RATE"},
		{name: "bad duration", env: map[string]string{"ERROR_AFTER": "3"}, err: "ERROR_AFTER"},
		{name: "negative delay", env: map[string]string{"DELAY_MS": "-1"}, err: "DELAY_MS"},
		{name: "bad flag", env: map[string]string{"RUDE": "very"}, err: "RUDE"},
		{name: "first error stays", env: map[string]string{"ERROR_RATE": "x", "GRACE": "y"}, err: "ERROR_RATE"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := FromEnv(func(k string) string { return tt.env[k] })
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("error %v does not name %s", err, tt.err)
				}
				return
			}
			if err != nil || got != tt.want {
				t.Errorf("got %+v, %v; want %+v", got, err, tt.want)
			}
		})
	}
}

func get(h http.Handler, path string, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", "http://checkout.local"+path, nil)
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func codes(h http.Handler, n int) map[int]int {
	counts := map[int]int{}
	for range n {
		counts[get(h, "/", nil).Code]++
	}
	return counts
}

func TestUserGetsTheVersion(t *testing.T) {
	w := get(New(Config{Version: "v2"}), "/cart", nil)
	if w.Code != 200 || w.Header().Get(VersionHeader) != "v2" || w.Body.String() != "v2\n" {
		t.Errorf("got %d %v %q", w.Code, w.Header(), w.Body)
	}
}

func TestErrorRateIsExact(t *testing.T) {
	for _, rate := range []float64{0, .02, .1, .3, .7, 1} {
		t.Run(fmt.Sprint(rate), func(t *testing.T) {
			s := New(Config{Version: "v3", ErrorRate: rate})
			want := map[int]int{500: int(rate*1000 + .5), 200: 1000 - int(rate*1000+.5)}
			maps.DeleteFunc(want, func(_, n int) bool { return n == 0 })
			if got := codes(s, 1000); !maps.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
	if w := get(New(Config{Version: "v3", ErrorRate: 1}), "/", nil); w.Header().Get(VersionHeader) != "v3" {
		t.Error("an error of the version's own does not name it")
	}
}

func TestErrorsStartAfterTheFirstRequest(t *testing.T) {
	v := clock.NewVirtual(time.Unix(0, 0))
	s := New(Config{ErrorRate: 1, ErrorAfter: 3 * time.Second})
	s.clock = v
	v.Advance(time.Hour) // idle time does not count
	for range 3 {
		if got := get(s, "/", nil).Code; got != 200 {
			t.Fatalf("%d too early", got)
		}
		v.Advance(time.Second)
	}
	if got := get(s, "/", nil).Code; got != 500 {
		t.Errorf("got %d after 3 s", got)
	}
}

func TestReadiness(t *testing.T) {
	tests := []struct {
		name  string
		c     Config
		drain bool
		want  int
	}{
		{name: "ready", want: 200},
		{name: "unready", c: Config{Unready: true}, want: 503},
		{name: "draining", drain: true, want: 503},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := New(tt.c)
			if tt.drain {
				s.Drain()
			}
			if got := get(s, "/healthz", nil).Code; got != tt.want {
				t.Errorf("/healthz %d, want %d", got, tt.want)
			}
			if got := get(s, "/", nil).Code; got != 200 {
				t.Errorf("a user got %d", got)
			}
		})
	}
}

func TestMetrics(t *testing.T) {
	v := clock.NewVirtual(time.Unix(0, 0))
	s := New(Config{ErrorRate: .5, Delay: 300 * time.Millisecond})
	s.clock = v
	done := make(chan struct{})
	go func() {
		defer close(done)
		get(s, "/", nil)
		get(s, "/", func(r *http.Request) { r.Header.Set("X-Mirrored", "1") })
		get(s, "/", func(r *http.Request) { r.Host = "checkout.local-shadow:80" })
		get(s, "/healthz", nil)
	}()
	for v.Step(done) {
	}
	body := get(s, "/metrics", nil).Body.String()
	for _, want := range []string{
		"# TYPE http_requests_total counter\n",
		"http_requests_total{code=\"200\"} 2\n",
		"http_requests_total{code=\"500\"} 1\n",
		"# TYPE http_request_duration_seconds histogram\n",
		"http_request_duration_seconds_bucket{le=\"0.25\"} 0\n",
		"http_request_duration_seconds_bucket{le=\"0.5\"} 3\n",
		"http_request_duration_seconds_bucket{le=\"+Inf\"} 3\n",
		"http_request_duration_seconds_sum 0.8999",
		"http_request_duration_seconds_count 3\n",
		"mirrored_requests_total 2\n",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q in\n%s", want, body)
		}
	}
	fresh := get(New(Config{}), "/metrics", nil).Body.String()
	if !strings.Contains(fresh, "http_requests_total{code=\"500\"} 0\n") {
		t.Error("errors are not counted from zero")
	}
}

// start runs c as a process would, and returns its address, its SIGTERM and its exit code.
func start(t *testing.T, c Config, stderr io.Writer) (url string, term context.CancelFunc, code <-chan int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	ended := make(chan int, 1)
	go func() { ended <- Run(ctx, c, l, stderr) }()
	return "http://" + l.Addr().String(), cancel, ended
}

func status(t *testing.T, url string) int {
	t.Helper()
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(url)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

func TestRunPolite(t *testing.T) {
	t.Parallel()
	url, term, code := start(t, Config{Version: "v1", Grace: 2 * time.Second}, io.Discard)
	if got := status(t, url); got != 200 {
		t.Fatalf("got %d", got)
	}
	term()
	for got := 200; got != 503; {
		if got = status(t, url+"/healthz"); got == 0 {
			t.Fatal("ended before it drained")
		}
	}
	if got := status(t, url); got != 200 {
		t.Errorf("while draining a user got %d", got)
	}
	if got := <-code; got != ExitOK {
		t.Errorf("exit code %d", got)
	}
	if got := status(t, url); got != 0 {
		t.Errorf("after the end a user got %d", got)
	}
}

func TestRunRude(t *testing.T) {
	url, term, code := start(t, Config{Rude: true, Grace: time.Minute, Delay: time.Minute}, io.Discard)
	got := make(chan int)
	go func() { got <- status(t, url) }()
	for status(t, url+"/healthz") != 200 {
	}
	term()
	if c := <-code; c != ExitOK {
		t.Errorf("exit code %d", c)
	}
	if s := <-got; s != 0 {
		t.Errorf("the request under way got %d", s)
	}
}

func TestRunCrash(t *testing.T) {
	var words strings.Builder
	_, _, code := start(t, Config{Crash: true}, &words)
	if got := <-code; got != ExitError || !strings.Contains(words.String(), "cannot open /etc/checkout/config.yaml: no such file") {
		t.Errorf("exit code %d, last words %q", got, words.String())
	}
}
