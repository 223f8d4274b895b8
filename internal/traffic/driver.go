package traffic

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/kube"
	"github.com/tidegate/tidegate/internal/plan"
)

// acceptance is how long a gateway may take to say that it accepts a route.
const acceptance = time.Minute

// errNotAccepted is the cause of a wait for acceptance that ran out.
var errNotAccepted = errors.New("not accepted in time")

// Driver is the router of any kind that is edited: it reads a route, has the kind edit it, writes it under the
// resourceVersion that was read, and follows what becomes of it.
type Driver struct {
	client *kube.Client
	scene  *kube.Scene
	kind   Editor
	mark   string
	views  map[plan.Ref]*kube.View
	// written is the generation of each route after our last write.
	written map[plan.Ref]int64
}

var (
	_ Router  = (*Driver)(nil)
	_ Watcher = (*Driver)(nil)

	_ Acceptance = (*Driver)(nil)
)

// New returns a router for the routes of t, which it follows in the scene.
func New(client *kube.Client, scene *kube.Scene, workload string, kind Editor, t plan.Traffic) *Driver {
	d := &Driver{client: client, scene: scene, kind: kind, mark: kube.OriginalMark(workload),
		views: map[plan.Ref]*kube.View{}, written: map[plan.Ref]int64{}}
	for _, ref := range edited(t) {
		d.views[ref] = scene.FollowOne(ref)
	}
	return d
}

// edited are the routes of the user's and those of ours.
func edited(t plan.Traffic) []plan.Ref { return slices.Concat(t.Routes, t.Own) }

// Set implements Router.
func (d *Driver) Set(ctx context.Context, t plan.Traffic, s plan.Split) error {
	for _, ref := range edited(t) {
		stored, err := d.client.Modify(ctx, ref, func(o *unstructured.Unstructured) (bool, error) {
			return d.kind.Split(o, t, d.mark, s)
		})
		if err != nil {
			return fmt.Errorf("set the split of %s: %w", ref, err)
		}
		d.written[ref] = stored.GetGeneration()
	}
	return nil
}

// Restore implements Router. The requests move with its first writes; later ones only clean managedFields. A route of ours
// that is not there divides nothing.
func (d *Driver) Restore(ctx context.Context, t plan.Traffic, originals []plan.Object) error {
	var restored []*unstructured.Unstructured
	for _, ref := range edited(t) {
		stored, err := d.client.Modify(ctx, ref, func(o *unstructured.Unstructured) (bool, error) {
			return d.kind.Restore(o, t, d.mark, original(originals, ref))
		})
		own := slices.Contains(t.Own, ref)
		if own && apierrors.IsNotFound(err) {
			d.written[ref] = 0
			continue
		}
		if err != nil {
			return fmt.Errorf("restore %s: %w", ref, err)
		}
		if d.written[ref] = stored.GetGeneration(); !own {
			restored = append(restored, stored)
		}
	}
	for _, o := range restored {
		_, err := d.client.ModifyFrom(ctx, o, func(o *unstructured.Unstructured) (bool, error) {
			return kube.Disown(o, original(originals, plan.RefOf(o.Object))), nil
		})
		if err != nil {
			return fmt.Errorf("take our mark off %s: %w", plan.RefOf(o.Object), err)
		}
	}
	return nil
}

func original(originals []plan.Object, ref plan.Ref) plan.Object {
	i := slices.IndexFunc(originals, func(o plan.Object) bool { return plan.RefOf(o) == ref })
	if i < 0 {
		return nil
	}
	return originals[i]
}

// InForce implements Router.
func (d *Driver) InForce(ctx context.Context, t plan.Traffic) error {
	asked, ok := d.kind.(Acceptance)
	if !ok {
		return nil // there is no status: the guard has to do
	}
	bounded, cancel := d.client.Bounded(ctx, acceptance, errNotAccepted)
	defer cancel()
	for _, ref := range edited(t) {
		var missing string
		err := d.scene.Wait(bounded, 0, func() (bool, error) {
			seen := d.views[ref].One()
			if seen == nil && d.written[ref] == 0 {
				return true, nil // one of ours, which is gone
			}
			if seen == nil || seen.GetGeneration() < d.written[ref] {
				missing = "the API has not told of the change yet"
				return false, nil
			}
			missing = asked.NotAccepted(seen.Object)
			return missing == "", nil
		})
		if errors.Is(err, errNotAccepted) {
			return fmt.Errorf("%s was written, but %s after %s; look at `kubectl describe %s %s -n %s` and at the gateway's log",
				ref, missing, acceptance, strings.ToLower(ref.Kind), ref.Name, ref.Namespace)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// NotAccepted implements Acceptance.
func (d *Driver) NotAccepted(route plan.Object) string {
	if asked, ok := d.kind.(Acceptance); ok {
		return asked.NotAccepted(route)
	}
	return ""
}

// Drift implements Watcher: a route is as it was left when setting the split again would change nothing.
func (d *Driver) Drift(t plan.Traffic, s plan.Split) []string {
	var list []string
	for _, ref := range edited(t) {
		view := d.views[ref]
		if !view.Synced() {
			continue
		}
		seen := view.One()
		if seen == nil {
			list = append(list, fmt.Sprintf("%s is gone: somebody deleted it", ref))
			continue
		}
		if what := d.differs(seen, t, s); what != "" {
			who := ""
			if manager := kube.LastWriter(seen); manager != "" {
				who = " (last written by " + manager + ")"
			}
			list = append(list, fmt.Sprintf("somebody changed %s%s: %s", ref, who, what))
		}
	}
	return list
}

func (d *Driver) differs(seen *unstructured.Unstructured, t plan.Traffic, s plan.Split) string {
	if own, ok := d.kind.(Explainer); ok {
		return own.Differs(seen, t, d.mark, s)
	}
	changed, err := d.kind.Split(seen.DeepCopy(), t, d.mark, s)
	switch {
	case err != nil:
		return err.Error()
	case changed && s.Mirror == 0 && len(s.Ring) == 0 && s.Cohorts == nil:
		return fmt.Sprintf("it sends %s to %s, not %s", d.kind.Share(seen.Object, t), t.Candidate, s.Weight)
	case changed:
		return "it does not " + s.String() + " any more"
	}
	return ""
}
