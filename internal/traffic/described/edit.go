package described

import (
	"fmt"
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/traffic"
)

// split changes an object so that requests are divided as s says, and reports whether anything changed.
func (e editor) split(o *unstructured.Unstructured, t plan.Traffic, mark string, s plan.Split) (bool, error) {
	if s.Cohorts != nil {
		return false, fmt.Errorf("%s: a router by description cannot keep users on one version", plan.RefOf(o.Object))
	}
	m, known := readMemo(o, mark)
	if !known {
		m = memo{Base: t.Base, Places: []place{}}
	}
	changed := o.DeepCopy()
	stood := e.takeRing(changed, m.ringed(known), othersRules(o, mark))
	parts := 0
	err := e.places(changed.Object, &m, func(id string, find finder, node any) (any, error) {
		after, took, err := e.splitPlace(node, id, find, s)
		if took {
			parts++
		}
		return after, err
	})
	switch {
	case err != nil:
		return false, fmt.Errorf("%s: %w", plan.RefOf(o.Object), err)
	case parts == 0:
		return false, fmt.Errorf("%s has nothing at %s%s that could be divided: no weight of %s is there", plan.RefOf(o.Object), e.sides.Within, e.sides.Base, t.Base)
	}
	if err := e.setMirror(changed, &m, s.Mirror); err != nil {
		return false, fmt.Errorf("%s: %w", plan.RefOf(o.Object), err)
	}
	if m.Ring, err = e.putRing(changed, s.Ring, stood); err != nil {
		return false, fmt.Errorf("%s: %w", plan.RefOf(o.Object), err)
	}
	if known && plan.Digest(changed.Object) == plan.Digest(o.Object) {
		return false, nil
	}
	o.Object = changed.Object
	return true, traffic.Remember(o, mark, &m)
}

// places calls edit for every place of the weights that there is. Places that are alike get a number.
func (e editor) places(object map[string]any, m *memo, edit func(id string, find finder, node any) (any, error)) error {
	find := finder{memo: m, present: map[string]bool{}, used: map[string]bool{}}
	seen := map[string]int{}
	number := func(id string) string {
		if seen[id]++; seen[id] > 1 {
			return fmt.Sprintf("%s#%d", id, seen[id])
		}
		return id
	}
	look := walk{memo: m, edit: func(id string, node any) (any, error) {
		find.present[number(id)] = true
		return node, nil
	}}
	if _, err := look.down(object, e.sides.Within, ""); err != nil {
		return err
	}
	clear(seen)
	_, err := walk{memo: m, edit: func(id string, node any) (any, error) { return edit(number(id), find, node) }}.down(object, e.sides.Within, "")
	return err
}

// splitPlace tells whether the place has a part in the division.
func (e editor) splitPlace(node any, id string, find finder, s plan.Split) (after any, took bool, err error) {
	if !e.sides.Listed() {
		return e.splitFields(node, id, find, s)
	}
	l, err := e.listOf(node)
	if err != nil || l.index(l.sides.Base) < 0 {
		return node, false, err
	}
	was, ok := find.find(id, l.theirs(place{}, true).keys())
	if !ok {
		if was, err = l.remember(id); err != nil {
			return node, false, err
		}
		find.memo.Places = append(find.memo.Places, was)
	}
	if l, err = l.restore(was, true); err == nil && s.Weight > 0 {
		l, err = l.divide(s.Weight)
	}
	if err == nil && s.Mirror > 0 && l.mirror != nil && l.mirror.beside {
		l, err = l.mirrored(s.Mirror)
	}
	return l.node(), true, err
}

func (e editor) splitFields(node any, id string, find finder, s plan.Split) (after any, took bool, err error) {
	object, ok := node.(map[string]any)
	if !ok {
		return node, false, nil
	}
	f := fields{e, object}
	was, ok := find.find(id, f.names())
	if !ok {
		if was, err = f.remember(id); err != nil {
			return node, false, err
		}
		find.memo.Places = append(find.memo.Places, was)
	}
	if f.restore(was, true); s.Weight > 0 {
		err = f.divide(s.Weight)
	}
	return object, true, err
}

// restore takes everything of ours out, and reports whether anything changed.
func (e editor) restore(o *unstructured.Unstructured, t plan.Traffic, mark string, before plan.Object) (bool, error) {
	m, known := readMemo(o, mark)
	if !known {
		m = e.memoOf(before, t)
	}
	changed := o.DeepCopy()
	e.takeRing(changed, m.ringed(known), nil)
	err := e.places(changed.Object, &m, func(id string, find finder, node any) (any, error) { return e.restorePlace(node, id, find) })
	if err == nil {
		err = e.unsetMirror(changed, m.Mirror, t)
	}
	if err != nil {
		return false, fmt.Errorf("%s: %w", plan.RefOf(o.Object), err)
	}
	if !known && plan.Digest(changed.Object) == plan.Digest(o.Object) {
		return false, nil
	}
	o.Object = changed.Object
	return true, traffic.Remember[memo](o, mark, nil)
}

func (e editor) restorePlace(node any, id string, find finder) (any, error) {
	if !e.sides.Listed() {
		if object, ok := node.(map[string]any); ok {
			f := fields{e, object}
			was, known := find.find(id, f.names())
			if w, err := f.weight(e.sides.Candidate.Field); err == nil && (known || w != nil && *w > 0) {
				f.restore(was, known)
			}
		}
		return node, nil
	}
	l, err := e.listOf(node)
	if err != nil {
		return node, nil // whatever somebody put there: it is not ours
	}
	was, known := find.find(id, l.theirs(place{}, true).keys())
	if l, err = l.restore(was, known); err != nil {
		return node, err
	}
	return l.node(), nil
}

// memoOf makes the memo anew from the object as it was, for when somebody removed the annotation.
func (e editor) memoOf(before plan.Object, t plan.Traffic) memo {
	m := memo{Base: t.Base, Places: []place{}}
	if before == nil {
		return m
	}
	u := (&unstructured.Unstructured{Object: before}).DeepCopy()
	if _, err := e.split(u, t, "tidegate.dev/before", plan.Split{Weight: plan.All, Mirror: e.anyMirror()}); err != nil {
		return m
	}
	m, _ = readMemo(u, "tidegate.dev/before")
	m.Ring = &rules{Absent: e.ringless(before)}
	return m
}

// merged are the fields of both, those of more first.
func merged(m, more map[string]any) map[string]any {
	m = maps.Clone(m)
	maps.Copy(m, more)
	return m
}
