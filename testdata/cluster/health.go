//go:build linux

package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/tidegate/tidegate/testdata/cluster/internal/api"
	"github.com/tidegate/tidegate/testdata/cluster/internal/credentials"
	"github.com/tidegate/tidegate/testdata/cluster/internal/layout"
)

// answers is healthy when the URL, on this machine, answers 200. The parts' own certificates are self-signed.
func answers(url string) func(context.Context) error {
	return func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("%s answers %s", url, resp.Status)
		}
		return nil
	}
}

// check is one look at a component.
func (c *cluster) check(ctx context.Context, part component) error {
	if r, ok := c.processes.Lookup(part.Name); !ok || !r.Alive() {
		return errors.New("it does not run")
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	return part.health(ctx)
}

// client is the administrator's.
func (c *cluster) client() (*api.Client, error) {
	ca, err := os.ReadFile(c.credential(credentials.CA))
	if err != nil {
		return nil, err
	}
	token, err := os.ReadFile(c.credential(credentials.Token))
	if err != nil {
		return nil, err
	}
	return api.New(layout.API, string(token), ca)
}

const (
	patience = 3 * time.Minute // ten times what a machine busy with a test suite was seen to need
	often    = 50 * time.Millisecond
)

var errGivenUp = errors.New("given up")

// eventually asks until the answer is nil, it is final, or patience ends.
func eventually(ctx context.Context, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := ask(ctx)
		if err == nil || errors.Is(err, errGivenUp) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not within %v: %w", patience, err)
		case <-time.After(often):
		}
	}
}

// healthy waits until a component is; one that has ended will not be.
func (c *cluster) healthy(ctx context.Context, part component) error {
	err := eventually(ctx, func(ctx context.Context) error {
		if r, ok := c.processes.Lookup(part.Name); !ok || !r.Alive() {
			return fmt.Errorf("it ended: %w", errGivenUp)
		}
		return part.health(ctx)
	})
	if err != nil {
		return unhealthy(part.Name, err, c.Logs()+"/"+part.Name+".log")
	}
	return nil
}

// together runs all, and returns all errors.
func together(all ...func() error) error {
	errs := make([]error, len(all))
	var wg sync.WaitGroup
	for i, f := range all {
		wg.Go(func() { errs[i] = f() })
	}
	wg.Wait()
	return errors.Join(errs...)
}
