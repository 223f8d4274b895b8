package cluster

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/routine"
)

// Store keeps the record in a ConfigMap. It is safe for concurrent use.
type Store struct {
	Options
	maps dynamic.ResourceInterface
	name string

	mu    sync.Mutex // held through a whole operation
	known bool       // last is what was seen last, nil for no record
	last  *unstructured.Unstructured
	claim string // of our own Claim; "" before it
	left  string // what the last save left out
}

var _ engine.Store = (*Store)(nil)

// NewStore returns the record of o.Workload.
func NewStore(o Options) *Store {
	o = o.withDefaults()
	return &Store{Options: o, maps: o.configMaps(), name: Name(o.Workload)}
}

// Load reads the record, in one call. It is nil when there is none.
func (s *Store) Load(ctx context.Context) (*engine.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.read(ctx, newBudget(s.Clock, s.Patience)); err != nil || s.last == nil {
		return nil, err
	}
	return decode(s.last)
}

// Save stores r, in one call unless somebody else wrote. See [engine.Store].
func (s *Store) Save(ctx context.Context, r *engine.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.put(ctx, r, s.claim, func(stored *unstructured.Unstructured) (bool, error) {
		if stored == nil {
			return false, nil
		}
		epoch, err := epochOf(stored)
		if err != nil {
			return false, err
		}
		claim := claimOf(stored)
		if epoch != r.Epoch || s.claim != "" && claim != "" && claim != s.claim {
			return false, engine.ErrFenced
		}
		return false, nil
	})
}

// Claim takes the record over, in one call when it was loaded before or there is none. See [engine.Store].
func (s *Store) Claim(ctx context.Context, r *engine.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	next, claim := *r, rand.Text()
	next.Epoch++
	if r.Epoch == 0 && !s.known {
		s.known = true // as a guess: creating finds out
	}
	err := s.put(ctx, &next, claim, func(stored *unstructured.Unstructured) (bool, error) {
		var epoch int64
		if stored != nil {
			var err error
			if epoch, err = epochOf(stored); err != nil {
				return false, err
			}
			if epoch == next.Epoch && claimOf(stored) == claim {
				return true, nil // an earlier try was carried out after all
			}
		}
		if epoch != r.Epoch {
			return false, engine.ErrFenced
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	r.Epoch, s.claim = next.Epoch, claim
	return nil
}

// put writes r over what is stored, as long as check agrees to that; done means that r is stored already.
func (s *Store) put(ctx context.Context, r *engine.Record, claim string, check func(*unstructured.Unstructured) (done bool, err error)) error {
	b := newBudget(s.Clock, s.Patience)
	if !s.known {
		if err := s.read(ctx, b); err != nil {
			return err
		}
	}
	for range maxConflicts {
		if done, err := check(s.last); done || err != nil {
			return err
		}
		err := s.write(ctx, b, r, claim)
		if !contended(err) {
			return err
		}
		if s.last == nil && apierrors.IsNotFound(err) {
			return fmt.Errorf("the record %s cannot be made: %w", s.name, err) // without its namespace
		}
		if apierrors.IsNotFound(err) {
			s.Warn(fmt.Sprintf("the record %s was deleted by somebody while it was in use", s.name))
			s.last = nil
			continue
		}
		if err := s.read(ctx, b); err != nil {
			return err
		}
	}
	return fmt.Errorf("the record %s is changed by somebody again and again", s.name)
}

func (s *Store) write(ctx context.Context, b *budget, r *engine.Record, claim string) error {
	if claim == "" && s.last != nil {
		claim = claimOf(s.last)
	}
	obj, left, err := s.encode(r, claim)
	if err != nil {
		return err
	}
	stored, err := persist(ctx, b, func(ctx context.Context) (*unstructured.Unstructured, error) {
		if s.last == nil {
			return s.maps.Create(ctx, obj, metav1.CreateOptions{})
		}
		return s.maps.Update(ctx, obj, metav1.UpdateOptions{})
	})
	switch {
	case contended(err):
		return err
	case err != nil:
		return s.failed("saved", err)
	}
	if left != s.left && left != "" {
		s.Warn(fmt.Sprintf("the record %s was too large and is kept without %s", s.name, left))
	}
	s.known, s.last, s.left = true, stored, left
	return nil
}

func (s *Store) read(ctx context.Context, b *budget) error {
	stored, err := persist(ctx, b, func(ctx context.Context) (*unstructured.Unstructured, error) {
		return s.maps.Get(ctx, s.name, metav1.GetOptions{})
	})
	if err != nil && !apierrors.IsNotFound(err) {
		return s.failed("read", err)
	}
	if err != nil {
		stored = nil
	}
	s.known, s.last = true, stored
	return nil
}

// failed leaves what the engine branches on as it is.
func (s *Store) failed(what string, err error) error {
	if errors.Is(err, engine.ErrLockLost) || errors.Is(err, engine.ErrCancelled) || errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("the record %s cannot be %s: %w", s.name, what, err)
}

// WatchRecord sends the record as it is (nil when there is none) and each later version (nil when it was deleted)
// until ctx ends; then the channel is closed. A record that cannot be read is left out with a warning.
func (s *Store) WatchRecord(ctx context.Context) <-chan *engine.Record {
	out := make(chan *engine.Record)
	routine.Go(func() {
		defer close(out)
		for obj := range follow(ctx, s.Options, s.maps, s.name) {
			var r *engine.Record
			if obj != nil {
				var err error
				if r, err = decode(obj); err != nil {
					s.Warn(err.Error())
					continue
				}
			}
			select {
			case out <- r:
			case <-ctx.Done():
			}
		}
	})
	return out
}
