package described

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/tidegate/tidegate/internal/fieldpath"
	"github.com/tidegate/tidegate/internal/plan"
)

// anyMirror is some share that can be mirrored, if any can.
func (e editor) anyMirror() plan.Share {
	if e.mirror == nil {
		return 0
	}
	return plan.OnePercent
}

func (m mirror) at() fieldpath.Step { return m.path[len(m.path)-1] }

func (m mirror) valueOf(share plan.Share) (any, error) {
	if share%plan.OnePercent != 0 {
		return nil, fmt.Errorf("a mirror takes whole percents, not %s", share)
	}
	return m.value(int64(share / plan.OnePercent))
}

// mirrored adds the mirror to a restored list: a copy of the base's element.
func (l list) mirrored(share plan.Share) (list, error) {
	value, err := l.mirror.valueOf(share)
	if err != nil {
		return l, err
	}
	more, ok := value.(map[string]any)
	if !ok {
		return l, errors.New("the mirror's value has to be fields of its element")
	}
	base := l.index(l.sides.Base)
	m := runtime.DeepCopyJSON(l.elements[base])
	l.setWeight(m, nil)
	set(m, l.mirror.at())
	l.elements = slices.Insert(l.elements, base+1, merged(m, more))
	return l, nil
}

// setMirror makes a mirror that stands by itself what the share asks for, which may be nothing.
func (e editor) setMirror(o *unstructured.Unstructured, m *memo, share plan.Share) error {
	if e.mirror == nil || e.mirror.beside {
		return nil
	}
	if m.Mirror != nil {
		e.giveBack(o, *m.Mirror)
	}
	if share == 0 {
		return nil
	}
	value, err := e.mirror.valueOf(share)
	if err != nil {
		return err
	}
	holder, field, ok := e.holder(o)
	if !ok {
		return fmt.Errorf("nothing is at %s, where the mirror belongs", e.mirror.path)
	}
	if m.Mirror == nil {
		m.Mirror = &kept{Value: holder[field]}
	}
	if at := e.mirror.at(); at.Field == "" {
		more, ok := value.(map[string]any)
		if !ok {
			return errors.New("the mirror's value has to be fields of its element")
		}
		element := map[string]any{}
		set(element, at)
		all, _ := holder[field].([]any)
		value = append(slices.Clone(all), merged(element, more))
	}
	holder[field] = value
	return nil
}

// holder is the object whose field holds the mirror, or the list of mirrors.
func (e editor) holder(o *unstructured.Unstructured) (holder map[string]any, field string, ok bool) {
	way := e.mirror.path
	if way[len(way)-1].Field == "" {
		way = way[:len(way)-1]
	}
	return holderOf(o, way)
}

// holderOf is the object whose field a path of fields names.
func holderOf(o *unstructured.Unstructured, way fieldpath.Path) (holder map[string]any, field string, ok bool) {
	holder = o.Object
	for _, step := range way[:len(way)-1] {
		if holder, ok = holder[step.Field].(map[string]any); !ok {
			return nil, "", false
		}
	}
	return holder, way[len(way)-1].Field, true
}

// giveBack is what was there before. Of a list only ours goes out: somebody may have added to it.
func (e editor) giveBack(o *unstructured.Unstructured, was kept) {
	holder, field, ok := e.holder(o)
	if !ok {
		return
	}
	at := e.mirror.at()
	if at.Field != "" {
		if delete(holder, field); was.Value != nil {
			holder[field] = was.Value
		}
		return
	}
	all, _ := holder[field].([]any)
	rest := slices.DeleteFunc(slices.Clone(all), at.Holds)
	if before, _ := was.Value.([]any); len(rest) == 0 && was.Value == nil {
		delete(holder, field)
	} else if all != nil || before != nil {
		holder[field] = rest
	}
}

// unsetMirror takes the mirror out. Where nobody knows what was there, it is ours if it names the candidate.
func (e editor) unsetMirror(o *unstructured.Unstructured, was *kept, t plan.Traffic) error {
	if e.mirror == nil || e.mirror.beside {
		return nil
	}
	if was != nil {
		e.giveBack(o, *was)
		return nil
	}
	holder, field, ok := e.holder(o)
	if !ok || holder[field] == nil {
		return nil
	}
	if text, err := encode(holder[field]); err != nil || !strings.Contains(text, t.Candidate) {
		return err
	}
	e.giveBack(o, kept{})
	return nil
}
