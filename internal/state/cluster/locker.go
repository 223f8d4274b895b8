package cluster

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/routine"
)

// LockOptions say who locks. Client must not be fenced by the same Locker.
type LockOptions struct {
	Options
	// Holder is what a person reads: a run's URL with its attempt, or user@host.
	Holder string
	// Predecessor is the Identity of an earlier process of the same job, which is known to be gone: what it holds is
	// taken over at once.
	Predecessor string
}

// Locker keeps the lock in a Lease. It is safe for concurrent use and holds the lock at most once at a time.
type Locker struct {
	LockOptions
	leases   dynamic.ResourceInterface
	name     string
	identity string

	locking sync.Mutex // held while the lock is asked for

	mu   sync.Mutex // guards all below
	held *session
	seen sighting
}

// sighting is since when, by our own clock, a lease has been unchanged.
type sighting struct {
	stamp    string
	at       time.Time
	duration time.Duration // after which it has expired
}

var _ engine.Locker = (*Locker)(nil)

// NewLocker returns the lock of o.Workload for one holder, under an identity of its own.
func NewLocker(o LockOptions) *Locker {
	o.Options = o.withDefaults()
	return &Locker{LockOptions: o, leases: o.leases(), name: Name(o.Workload), identity: o.Holder + "#" + rand.Text()}
}

// Identity is the holder with a random nonce, as the Lease names it. It is a Predecessor for whoever cleans up.
func (l *Locker) Identity() string { return l.identity }

// Lock takes the lock or fails at once with an *engine.HeldError. See [engine.Locker]. The lock is renewed until
// unlock, also when ctx has ended: the undo of a cancelled run still needs it.
func (l *Locker) Lock(ctx context.Context) (context.Context, func(), error) {
	l.locking.Lock()
	defer l.locking.Unlock()
	return l.take(ctx, nil)
}

// LockWait is Lock that waits up to longest for a holder to release the lock or to be gone for the Lease's duration.
func (l *Locker) LockWait(ctx context.Context, longest time.Duration) (context.Context, func(), error) {
	l.locking.Lock()
	defer l.locking.Unlock()
	locked, unlock, err := l.take(ctx, nil)
	if !isHeld(err) || longest <= 0 || l.current() != nil {
		return locked, unlock, err
	}
	over := l.Clock.NewTimer(longest)
	defer over.Stop()
	watching, stop := context.WithCancel(ctx)
	defer stop()
	versions := follow(watching, l.Options, l.leases, l.name)
	last, timer := lease{}, l.Clock.NewTimer(l.left())
	for isHeld(err) {
		try := true
		select {
		case <-ctx.Done():
			return nil, nil, context.Cause(ctx)
		case <-over.C():
			return nil, nil, err
		case obj := <-versions:
			last = lease{obj}
			if held := l.judge(last); held != nil {
				err, try = held, false
			}
		case <-timer.C():
		}
		if try {
			locked, unlock, err = l.take(ctx, last.Unstructured)
		}
		timer.Stop()
		timer = l.Clock.NewTimer(l.left())
	}
	timer.Stop()
	return locked, unlock, err
}

func isHeld(err error) bool {
	var held *engine.HeldError
	return errors.As(err, &held)
}

// take makes the lease ours, starting from what is known of it (nil: nothing). Every try that may have been carried out
// is followed by a look: a lease that carries our identity is then renewed, so that our right counts from that request.
func (l *Locker) take(ctx context.Context, known *unstructured.Unstructured) (context.Context, func(), error) {
	if l.current() != nil {
		return nil, nil, &engine.HeldError{Holder: l.Holder}
	}
	b := newBudget(l.Clock, l.Patience)
	for range maxConflicts {
		if known == nil {
			var err error
			if known, err = l.read(ctx, b); err != nil {
				return nil, nil, l.failed(err)
			}
		}
		if held := l.judge(lease{known}); held != nil {
			return nil, nil, held
		}
		sent := l.Clock.Now()
		taken, err := once(ctx, l.Clock, func(ctx context.Context) (*unstructured.Unstructured, error) {
			return l.write(ctx, known, l.claim(lease{known}))
		})
		switch {
		case err == nil:
			locked, unlock := l.hold(ctx, taken, sent)
			return locked, unlock, nil
		case contended(err) && (known != nil || !apierrors.IsNotFound(err)):
		case ctx.Err() != nil || !transient(err):
			return nil, nil, l.failed(err)
		default:
			if err := b.wait(ctx, err); err != nil {
				return nil, nil, l.failed(err)
			}
		}
		known = nil
	}
	return nil, nil, fmt.Errorf("the lock %s is changed by somebody again and again", l.name)
}

// judge remembers what was seen and says who holds the lease, or nil when it may be taken.
func (l *Locker) judge(ls lease) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.Clock.Now()
	if stamp := ls.stamp(); stamp != l.seen.stamp || l.seen.at.IsZero() {
		l.seen = sighting{stamp: stamp, at: now, duration: ls.duration()}
	}
	switch identity := ls.identity(); {
	case identity == "", identity == l.identity, l.Predecessor != "" && identity == l.Predecessor:
		return nil
	case now.Sub(l.seen.at) >= ls.duration():
		return nil
	}
	return &engine.HeldError{Holder: ls.holder(), Since: ls.since()}
}

// left is how long until the lease that was seen last has expired.
func (l *Locker) left() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen.at.Add(l.seen.duration).Sub(l.Clock.Now())
}

// claim is the spec by which we take a lease.
func (l *Locker) claim(ls lease) map[string]any {
	now := l.Clock.Now().UTC().Format(microTime)
	spec := l.renewal()
	if ls.identity() != l.identity {
		spec[fieldAcquired] = now
		if ls.exists() {
			spec[fieldTransitions] = ls.number(fieldTransitions) + 1
		}
	}
	return spec
}

// renewal is the spec by which we keep one.
func (l *Locker) renewal() map[string]any {
	return map[string]any{
		fieldHolder: l.identity, fieldDuration: int64(LeaseDuration / time.Second),
		fieldRenewed: l.Clock.Now().UTC().Format(microTime),
	}
}

// write updates base, if it is still the stored version, or creates the lease when base is nil.
func (l *Locker) write(ctx context.Context, base *unstructured.Unstructured, spec map[string]any) (*unstructured.Unstructured, error) {
	obj := l.object(base, "coordination.k8s.io/v1", "Lease", l.name)
	setSpec(obj, spec)
	if base == nil {
		return l.leases.Create(ctx, obj, metav1.CreateOptions{})
	}
	return l.leases.Update(ctx, obj, metav1.UpdateOptions{})
}

// read is nil when there is no lease.
func (l *Locker) read(ctx context.Context, b *budget) (*unstructured.Unstructured, error) {
	obj, err := persist(ctx, b, func(ctx context.Context) (*unstructured.Unstructured, error) {
		return l.leases.Get(ctx, l.name, metav1.GetOptions{})
	})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return obj, err
}

func (l *Locker) failed(err error) error {
	return fmt.Errorf("the lock %s cannot be taken: %w", l.name, err)
}

// current is the session that holds the lock, or nil.
func (l *Locker) current() *session {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held
}

// hold starts to keep a lease that was taken by a request sent then.
func (l *Locker) hold(ctx context.Context, taken *unstructured.Unstructured, sent time.Time) (context.Context, func()) {
	locked, cancel := context.WithCancelCause(ctx)
	s := &session{
		locker: l, cancel: cancel, lease: taken, sent: sent,
		gone: make(chan struct{}), ended: make(chan struct{}), kick: make(chan struct{}, 1), renewed: make(chan struct{}),
	}
	l.mu.Lock()
	l.held = s
	l.mu.Unlock()
	fresh, stop := context.WithCancel(context.WithoutCancel(ctx))
	routine.Go(func() { s.run(fresh) })
	var once sync.Once
	return locked, func() { once.Do(func() { stop(); s.release(ctx) }) }
}
