package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/routine"
	"github.com/tidegate/tidegate/internal/sandbox/load"
)

const (
	browserCount = 60
	browserPause = 300 * time.Millisecond // between two requests of one browser
	// browserPatience is longer than any answer takes, and bounds the end of the demo.
	browserPatience = 10 * time.Second
)

// browsers are users who keep cookies, each of whom sends one request after another.
type browsers struct {
	url, host string
	clock     clock.Clock
	stopping  context.CancelFunc
	running   sync.WaitGroup
	met       [][]string // versions by user, each as long as it was the same; a user's own until running is done
}

// openBrowsers lets users with cookies come where a strategy tells users apart; nil elsewhere.
func openBrowsers(ctx context.Context, o Options, url, host string) *browsers {
	if o.Strategy != stickyStrategy {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	b := &browsers{url: url, host: host, clock: o.Clock, stopping: cancel, met: make([][]string, browserCount)}
	for i := range b.met {
		b.running.Add(1)
		routine.Go(func() {
			defer b.running.Done()
			b.run(ctx, i)
		})
	}
	return b
}

// says who they are, as a line of the demo's opening.
func (b *browsers) says() string {
	if b == nil {
		return ""
	}
	return fmt.Sprintf("Those keep no cookies; %d others, who do, send one request after another.\n", len(b.met))
}

// run is the life of one user. The first requests are spread over the pause.
func (b *browsers) run(ctx context.Context, i int) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return // the user has met nobody, which is a finding
	}
	client := &http.Client{Jar: jar, Timeout: browserPatience, Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for pause := browserPause * time.Duration(i) / browserCount; clock.Sleep(ctx, b.clock, pause) == nil; pause = browserPause {
		version := b.ask(context.WithoutCancel(ctx), client)
		if n := len(b.met[i]); n == 0 || b.met[i][n-1] != version {
			b.met[i] = append(b.met[i], version)
		}
	}
}

// ask is the version that answers one request, with an error or without.
func (b *browsers) ask(ctx context.Context, client *http.Client) string {
	const nobody = "no answer"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.url, http.NoBody)
	if err != nil {
		return nobody
	}
	req.Host = b.host
	resp, err := client.Do(req)
	if err != nil {
		return nobody
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return nobody
	}
	return cmp.Or(resp.Header.Get(load.VersionHeader), nobody)
}

func (b *browsers) stop() {
	if b == nil {
		return
	}
	b.stopping()
	b.running.Wait()
}

// story prints what the users met, who have stopped. It is an error if one of them changed to and fro: to the good version
// each goes once, to the bad one those go whose step came, and back from that with everybody.
func (b *browsers) story(w io.Writer) error {
	if b == nil {
		return nil
	}
	count := map[string]int{}
	for _, met := range b.met {
		count[strings.Join(met, " → ")]++
	}
	fmt.Fprintf(w, "\n── What %d users with cookies met ──\n\n", len(b.met))
	good := map[string]string{
		"v1 → v2":           "  moved once, and stayed",
		"v1 → v2 → v3 → v2": "  moved once; later moved to the bad version, and back with everybody",
	}
	others := 0
	for _, met := range slices.Sorted(maps.Keys(count)) {
		says, known := good[met]
		if !known {
			others += count[met]
			says = "  changed in another way"
		}
		fmt.Fprintf(w, "  %4d  %-18s%s\n", count[met], met, says)
	}
	fmt.Fprintf(w, "  %4d  saw more changes than their steps brought, or went back on the way\n", others)
	if others > 0 {
		return errors.New("users were not kept on one version until their step")
	}
	return nil
}
