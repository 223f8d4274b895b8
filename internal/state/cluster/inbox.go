package cluster

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/dynamic"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/routine"
)

const (
	maxRequests = 20      // that are pending; the oldest give way
	maxRequest  = 1 << 10 // bytes of one request's JSON
)

// Inbox keeps requests in a ConfigMap, one key for each. It is safe for concurrent use.
type Inbox struct {
	Options
	maps dynamic.ResourceInterface
	name string
}

var _ engine.Inbox = (*Inbox)(nil)

// NewInbox returns the inbox of o.Workload.
func NewInbox(o Options) *Inbox {
	o = o.withDefaults()
	return &Inbox{Options: o, maps: o.configMaps(), name: InboxName(o.Workload)}
}

// Post adds a request, in one call, or two when it is the first or one too many. A long reason is cut.
func (i *Inbox) Post(ctx context.Context, r engine.Request) error {
	if problems := validation.IsConfigMapKey(r.ID); len(problems) > 0 {
		return fmt.Errorf("the request's id %q cannot be used: %s", r.ID, strings.Join(problems, ", "))
	}
	value, err := fit(r)
	if err != nil {
		return err
	}
	b := newBudget(i.Clock, i.Patience)
	for range maxConflicts {
		var stored *unstructured.Unstructured
		if stored, err = i.patch(ctx, b, map[string]any{r.ID: value}); err == nil {
			return i.trim(ctx, b, stored)
		}
		if apierrors.IsNotFound(err) {
			err = i.create(ctx, b, map[string]any{r.ID: value})
		}
		if !apierrors.IsAlreadyExists(err) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("the request cannot be put into %s: %w", i.name, err)
	}
	return nil
}

// Clear removes a request. It is well when there is none.
func (i *Inbox) Clear(ctx context.Context, id string) error {
	_, err := i.patch(ctx, newBudget(i.Clock, i.Patience), map[string]any{id: nil})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("the request %s cannot be removed from %s: %w", id, i.name, err)
	}
	return nil
}

// Requests sends each request once, older ones first, until ctx ends; then the channel is closed.
func (i *Inbox) Requests(ctx context.Context) <-chan engine.Request {
	out := make(chan engine.Request)
	routine.Go(func() {
		defer close(out)
		known := map[string]bool{}
		for obj := range follow(ctx, i.Options, i.maps, i.name) {
			for _, r := range i.news(obj, known) {
				select {
				case out <- r:
				case <-ctx.Done():
				}
			}
		}
	})
	return out
}

// news are the requests in obj that are not known. What obj does not hold any more is forgotten.
func (i *Inbox) news(obj *unstructured.Unstructured, known map[string]bool) []engine.Request {
	entries := entriesOf(obj)
	for id := range known {
		if _, ok := entries[id]; !ok {
			delete(known, id)
		}
	}
	var news []engine.Request
	for id, value := range entries {
		if known[id] {
			continue
		}
		known[id] = true
		r, err := parse(id, value)
		if err != nil {
			i.Warn(fmt.Sprintf("%s holds something that is not a request, under %q: %v", i.name, id, err))
			continue
		}
		news = append(news, r)
	}
	slices.SortFunc(news, older)
	return news
}

func older(a, b engine.Request) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) }

// trim removes the oldest requests when there are too many, and what is none before them.
func (i *Inbox) trim(ctx context.Context, b *budget, obj *unstructured.Unstructured) error {
	entries := entriesOf(obj)
	if len(entries) <= maxRequests {
		return nil
	}
	var all []engine.Request
	for id, value := range entries {
		r, err := parse(id, value)
		if err != nil {
			r = engine.Request{ID: id}
		}
		all = append(all, r)
	}
	slices.SortFunc(all, older)
	drop := map[string]any{}
	for _, r := range all[:len(all)-maxRequests] {
		drop[r.ID] = nil
	}
	if _, err := i.patch(ctx, b, drop); err != nil && !apierrors.IsNotFound(err) {
		i.Warn(fmt.Sprintf("%s holds too many requests and cannot be trimmed: %v", i.name, err))
	}
	return nil
}

// patch changes single keys, whatever else happens to the object; applying it twice does no harm.
func (i *Inbox) patch(ctx context.Context, b *budget, data map[string]any) (*unstructured.Unstructured, error) {
	body, err := json.Marshal(map[string]any{"data": data})
	if err != nil {
		return nil, err
	}
	return persist(ctx, b, func(ctx context.Context) (*unstructured.Unstructured, error) {
		return i.maps.Patch(ctx, i.name, types.MergePatchType, body, metav1.PatchOptions{})
	})
}

func (i *Inbox) create(ctx context.Context, b *budget, data map[string]any) error {
	obj := i.object(nil, "v1", "ConfigMap", i.name)
	obj.Object["data"] = data
	_, err := persist(ctx, b, func(ctx context.Context) (*unstructured.Unstructured, error) {
		return i.maps.Create(ctx, obj, metav1.CreateOptions{})
	})
	return err
}

func entriesOf(obj *unstructured.Unstructured) map[string]string {
	if obj == nil {
		return nil
	}
	entries, _, _ := unstructured.NestedStringMap(obj.Object, "data")
	return entries
}

// parse reads an entry. Its key is its id: that is what Clear removes.
func parse(id, value string) (engine.Request, error) {
	var r engine.Request
	if err := json.Unmarshal([]byte(value), &r); err != nil {
		return r, err
	}
	if r.Verb == "" {
		return r, errors.New("it has no verb")
	}
	r.ID = id
	return r, nil
}

// fit writes a request, with its reason and its sender cut until it is small enough.
func fit(r engine.Request) (string, error) {
	r.At = r.At.UTC().Truncate(time.Microsecond)
	for _, text := range []*string{nil, &r.Reason, &r.By} {
		for limit := maxRequest / 2; ; limit /= 2 {
			value, err := json.Marshal(r)
			if err != nil || len(value) <= maxRequest {
				return string(value), err
			}
			if text == nil || limit == 0 {
				break
			}
			*text = cut(*text, limit)
		}
	}
	return "", fmt.Errorf("the request %s is too large", r.ID)
}

// cut shortens a text to at most n bytes, between two characters.
func cut(s string, n int) string {
	const dots = "…"
	if len(s) <= n {
		return s
	}
	n = max(n-len(dots), 0)
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + dots
}
