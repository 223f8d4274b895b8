package demo

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/tidegate/tidegate/internal/app"
	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/routine"
	"github.com/tidegate/tidegate/internal/sandbox/github"
	"github.com/tidegate/tidegate/internal/spec"
)

const repository = "example/shop"

// hub is the GitHub that the demo's rollouts are told to: a double, on this machine.
type hub struct {
	double *github.Server
	server *http.Server
	url    string
}

func openHub(ctx context.Context, c clock.Clock) (*hub, error) {
	double, err := github.New(github.Options{Clock: c, Repository: repository})
	if err != nil {
		return nil, fmt.Errorf("start the embedded GitHub: %w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start the embedded GitHub: %w", err)
	}
	h := &hub{double: double, url: "http://" + listener.Addr().String(),
		server: &http.Server{Handler: double, ReadHeaderTimeout: 10 * time.Second}}
	routine.Go(func() { _ = h.server.Serve(listener) }) // it ends with close
	return h, nil
}

func (h *hub) close() { _ = h.server.Close() }

// target is where the rollout of an image is told: each image is of a commit of its own.
func (h *hub) target(d spec.Deploy, image string) *app.GitHub {
	commit := sha1.Sum([]byte(image))
	return &app.GitHub{
		Access: app.GitHubAccess{API: h.url, Repository: repository, Token: "of-the-demo"}, SHA: hex.EncodeToString(commit[:]),
		Environment: "production", Production: true, Name: d.Metadata.Name, URL: d.Spec.URL,
	}
}

// story prints what GitHub was told. A request that GitHub's published schema does not allow is an error.
func (h *hub) story(w io.Writer) error {
	fmt.Fprint(w, "── What GitHub was told (by a double that holds every request against GitHub's published schema) ──\n\n")
	err := h.double.Story(w)
	fmt.Fprintln(w)
	if problems := h.double.Problems(); len(problems) > 0 {
		err = errors.Join(err, errors.New("GitHub's schema does not allow: "+strings.Join(problems, "; ")))
	}
	return err
}
