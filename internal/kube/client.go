package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/tidegate/tidegate/internal/clock"
	"github.com/tidegate/tidegate/internal/plan"
)

// Manager is the field manager of all our writes.
const Manager = "tidegate"

// WriteTimeout bounds one write, on the client and on the server.
const WriteTimeout = 4 * time.Second

// Client reads and writes objects. It is safe for concurrent use.
type Client struct {
	dynamic dynamic.Interface
	clock   clock.Clock
	// final tells errors that no retry can heal although they look like errors of the network (a lost lock).
	final func(error) bool
	logs  Logs // nil: logs cannot be read

	patience time.Duration
}

// New returns a client. final may be nil.
func New(d dynamic.Interface, c clock.Clock, final func(error) bool) *Client {
	if final == nil {
		final = func(error) bool { return false }
	}
	return &Client{dynamic: d, clock: c, final: final, patience: Patience}
}

// WithPatience changes for how long errors that pass are retried.
func (c *Client) WithPatience(d time.Duration) *Client {
	c.patience = d
	return c
}

func (c *Client) at(ref plan.Ref) dynamic.ResourceInterface {
	return c.resource(GVR(ref.APIVersion, ref.Kind), ref.Namespace)
}

func (c *Client) resource(gvr schema.GroupVersionResource, namespace string) dynamic.ResourceInterface {
	if namespace == "" {
		return c.dynamic.Resource(gvr)
	}
	return c.dynamic.Resource(gvr).Namespace(namespace)
}

// Get reads one object. A missing one is apierrors.IsNotFound.
func (c *Client) Get(ctx context.Context, ref plan.Ref) (*unstructured.Unstructured, error) {
	return retry(ctx, c, func(ctx context.Context) (*unstructured.Unstructured, error) {
		return c.at(ref).Get(ctx, ref.Name, metav1.GetOptions{})
	})
}

// List reads all objects of a kind in a namespace that the label selector matches ("" matches all).
func (c *Client) List(ctx context.Context, apiVersion, kind, namespace, selector string) ([]unstructured.Unstructured, error) {
	list, err := retry(ctx, c, func(ctx context.Context) (*unstructured.UnstructuredList, error) {
		return c.resource(GVR(apiVersion, kind), namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	})
	if err != nil {
		return nil, err
	}
	return list.Items, nil
}

// ListFields is List with a field selector.
func (c *Client) ListFields(ctx context.Context, apiVersion, kind, namespace, selector string) ([]unstructured.Unstructured, error) {
	list, err := retry(ctx, c, func(ctx context.Context) (*unstructured.UnstructuredList, error) {
		return c.resource(GVR(apiVersion, kind), namespace).List(ctx, metav1.ListOptions{FieldSelector: selector, Limit: 100})
	})
	if err != nil {
		return nil, err
	}
	return list.Items, nil
}

// Apply makes an object of ours as it is stated, whether it exists or not, and returns it as stored.
func (c *Client) Apply(ctx context.Context, o plan.Object) (*unstructured.Unstructured, error) {
	return c.apply(ctx, o, nil)
}

// DryRun asks the server whether it would accept the object, without storing it.
func (c *Client) DryRun(ctx context.Context, o plan.Object) error {
	_, err := c.apply(ctx, o, []string{metav1.DryRunAll})
	return err
}

// DryUpdate asks the server whether it would accept the object in the place of the stored one, without storing it.
func (c *Client) DryUpdate(ctx context.Context, o *unstructured.Unstructured) error {
	_, err := c.write(ctx, func(ctx context.Context) (*unstructured.Unstructured, error) {
		return c.at(plan.RefOf(o.Object)).Update(ctx, o, metav1.UpdateOptions{FieldManager: Manager, DryRun: []string{metav1.DryRunAll}})
	})
	return err
}

func (c *Client) apply(ctx context.Context, o plan.Object, dryRun []string) (*unstructured.Unstructured, error) {
	data, err := json.Marshal(o)
	if err != nil {
		return nil, fmt.Errorf("write %s as JSON: %w", plan.RefOf(o), err)
	}
	ref, force := plan.RefOf(o), true
	return c.write(ctx, func(ctx context.Context) (*unstructured.Unstructured, error) {
		return c.at(ref).Patch(ctx, ref.Name, types.ApplyPatchType, data,
			metav1.PatchOptions{FieldManager: Manager, Force: &force, DryRun: dryRun})
	})
}

// Scale sets spec.replicas of a Deployment of ours.
func (c *Client) Scale(ctx context.Context, ref plan.Ref, replicas int) (*unstructured.Unstructured, error) {
	data := fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, replicas)
	return c.write(ctx, func(ctx context.Context) (*unstructured.Unstructured, error) {
		return c.at(ref).Patch(ctx, ref.Name, types.MergePatchType, data, metav1.PatchOptions{FieldManager: Manager})
	})
}

// Modify reads an object of the user's, lets change alter it and writes it back if change says so, under the
// resourceVersion that was read. When somebody else wrote in between it starts over. It returns the object as stored.
func (c *Client) Modify(ctx context.Context, ref plan.Ref, change func(*unstructured.Unstructured) (bool, error)) (*unstructured.Unstructured, error) {
	return c.modify(ctx, ref, nil, change)
}

// ModifyFrom is Modify that starts from an object which was just read or written.
func (c *Client) ModifyFrom(ctx context.Context, o *unstructured.Unstructured, change func(*unstructured.Unstructured) (bool, error)) (*unstructured.Unstructured, error) {
	return c.modify(ctx, plan.RefOf(o.Object), o, change)
}

func (c *Client) modify(ctx context.Context, ref plan.Ref, o *unstructured.Unstructured, change func(*unstructured.Unstructured) (bool, error)) (*unstructured.Unstructured, error) {
	for range conflicts {
		if o == nil {
			var err error
			if o, err = c.Get(ctx, ref); err != nil {
				return nil, err
			}
		}
		changed := o.DeepCopy()
		write, err := change(changed)
		if err != nil || !write {
			return o, err
		}
		stored, err := c.write(ctx, func(ctx context.Context) (*unstructured.Unstructured, error) {
			return c.at(ref).Update(ctx, changed, metav1.UpdateOptions{FieldManager: Manager})
		})
		if !apierrors.IsConflict(err) {
			return stored, err
		}
		o = nil
	}
	return nil, fmt.Errorf("%s changes faster than Tidegate can write it (%d conflicts in a row); "+
		"stop what else writes it and run again", ref, conflicts)
}

// conflicts is how often a write is tried against others that write the same object.
const conflicts = 10

// Delete removes an object, and what it owns in the background. One that is not there is fine.
func (c *Client) Delete(ctx context.Context, ref plan.Ref) error {
	background := metav1.DeletePropagationBackground
	_, err := c.write(ctx, func(ctx context.Context) (*unstructured.Unstructured, error) {
		return nil, c.at(ref).Delete(ctx, ref.Name, metav1.DeleteOptions{PropagationPolicy: &background})
	})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// DeleteExact removes an object only as it was read: another one of its name, or one that has changed since, stays. It says
// whether the object was told to go.
func (c *Client) DeleteExact(ctx context.Context, o *unstructured.Unstructured) (bool, error) {
	ref, uid, version := plan.RefOf(o.Object), o.GetUID(), o.GetResourceVersion()
	_, err := c.write(ctx, func(ctx context.Context) (*unstructured.Unstructured, error) {
		return nil, c.at(ref).Delete(ctx, ref.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid, ResourceVersion: &version}})
	})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return false, nil
	}
	return err == nil, err
}

// Create makes an object that must not exist yet. With generateName a repeated try may make a second one.
func (c *Client) Create(ctx context.Context, o plan.Object) (*unstructured.Unstructured, error) {
	ref := plan.RefOf(o)
	return c.write(ctx, func(ctx context.Context) (*unstructured.Unstructured, error) {
		return c.at(ref).Create(ctx, &unstructured.Unstructured{Object: o}, metav1.CreateOptions{FieldManager: Manager})
	})
}

// write runs a write to its end although ctx may be cancelled meanwhile, bounded by WriteTimeout, and retries what
// passes.
func (c *Client) write(ctx context.Context, do func(context.Context) (*unstructured.Unstructured, error)) (*unstructured.Unstructured, error) {
	return retry(ctx, c, func(ctx context.Context) (*unstructured.Unstructured, error) {
		bounded, cancel := clock.WithTimeout(context.WithoutCancel(ctx), c.clock, WriteTimeout, context.DeadlineExceeded)
		defer cancel()
		return do(bounded)
	})
}
