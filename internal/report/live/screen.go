package live

import (
	"context"
	"sync"
	"time"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/report"
)

// Screen shows a running rollout: it listens to the engine and draws what it hears. Tick redraws it between events, so that
// the countdowns move. It is safe for concurrent use. What cannot be drawn is lost.
type Screen struct {
	mu       sync.Mutex
	state    State
	terminal *Terminal
	size     func() (width, height int)
}

var _ engine.Listener = (*Screen)(nil)

// NewScreen returns a screen of which size tells the columns and rows, asked again for every frame.
func NewScreen(t *Terminal, size func() (width, height int)) *Screen {
	return &Screen{terminal: t, size: size}
}

// Handle implements engine.Listener.
func (s *Screen) Handle(_ context.Context, e engine.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Apply(e)
	s.draw(e.At)
}

// Tick draws again, for this moment.
func (s *Screen) Tick(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draw(now)
}

// SetPods changes the pods that the next frame shows.
func (s *Screen) SetPods(pods []report.Pods) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Pods = pods
}

// Show replaces the rollout by one that was read, and draws it.
func (s *Screen) Show(ro engine.Rollout, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Follow(ro)
	s.draw(now)
}

func (s *Screen) draw(now time.Time) {
	width, height := s.size()
	_ = s.terminal.Draw(Frame(s.state, width, height, now), width)
}
