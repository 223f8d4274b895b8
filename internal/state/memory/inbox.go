package memory

import (
	"cmp"
	"context"
	"slices"

	"github.com/tidegate/tidegate/internal/engine"
)

// Post adds a request; the oldest give way when there are too many.
func (p *Process) Post(ctx context.Context, r engine.Request) error {
	if err := p.enter(ctx); err != nil {
		return err
	}
	c := p.cluster
	defer c.mu.Unlock()
	c.inbox = append(slices.DeleteFunc(slices.Clone(c.inbox), called(r.ID)), r)
	slices.SortStableFunc(c.inbox, func(a, b engine.Request) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	c.inbox = c.inbox[max(0, len(c.inbox)-maxRequests):]
	c.change()
	return nil
}

// Clear removes a request. It is well when there is none.
func (p *Process) Clear(ctx context.Context, id string) error {
	if err := p.enter(ctx); err != nil {
		return err
	}
	c := p.cluster
	defer c.mu.Unlock()
	c.inbox = slices.DeleteFunc(slices.Clone(c.inbox), called(id))
	c.change()
	return nil
}

func called(id string) func(engine.Request) bool {
	return func(r engine.Request) bool { return r.ID == id }
}

// Requests sends each request once, older ones first, until ctx ends; then the channel is closed.
func (p *Process) Requests(ctx context.Context) <-chan engine.Request {
	out, c := make(chan engine.Request), p.cluster
	go func() {
		defer close(out)
		known := map[string]bool{}
		for {
			var news []engine.Request
			if p.until(ctx, func() bool { news = c.news(known); return len(news) > 0 }) != nil {
				return
			}
			c.mu.Unlock()
			for _, r := range news {
				select {
				case out <- r:
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	return out
}

// news are the requests that are not known yet; gone ones are forgotten. The caller holds mu.
func (c *Cluster) news(known map[string]bool) []engine.Request {
	for id := range known {
		if !slices.ContainsFunc(c.inbox, called(id)) {
			delete(known, id)
		}
	}
	var news []engine.Request
	for _, r := range c.inbox {
		if !known[r.ID] {
			known[r.ID] = true
			news = append(news, r)
		}
	}
	return news
}
