package traefik

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/traffic"
)

// splitService edits the user's TraefikService.
func splitService(o *unstructured.Unstructured, t plan.Traffic, mark string, s plan.Split) (bool, error) {
	if err := fits(o.Object, t, s); err != nil {
		return false, err
	}
	weight := weightFor(s)
	if weight == 0 && s.Mirror == 0 { // rules of our own IngressRoutes do the rest
		return restore(o, t, mark, nil)
	}
	m, known := readMemo(o, mark)
	was := plan.Digest(o.Object)
	plain := o.DeepCopy()
	if _, err := restore(plain, t, mark, nil); err != nil {
		return false, err
	}
	if !known {
		m = remember(plain.Object, t)
	}
	m.learn(plain.Object)
	var err error
	switch {
	case mapAt(o.Object, "spec", "mirroring") != nil && entriesOf(o.Object) == nil:
		err = mirrorBeside(plain, t, s)
	case s.Mirror > 0:
		err = throughMirror(plain, t)
	default:
		err = set(plain, divided(entriesOf(plain.Object), t, weight), "spec", "weighted", "services")
	}
	if err == nil {
		err = traffic.Remember(plain, mark, &m)
	}
	if err != nil || plan.Digest(plain.Object) == was {
		return false, err
	}
	o.Object = plain.Object
	return true, nil
}

// weightFor is the share of requests that the TraefikService itself has to send to the candidate: that of users is in rules.
func weightFor(s plan.Split) plan.Share {
	if s.Cohorts != nil && s.Weight < plan.All {
		return 0
	}
	return s.Weight
}

// fits says why a TraefikService cannot carry a split.
func fits(o plan.Object, t plan.Traffic, s plan.Split) error {
	ref, entries, main := plan.RefOf(o), entriesOf(o), mapAt(o, "spec", "mirroring")
	mirrors := main != nil && len(entries) == 0
	if s.Mirror%plan.OnePercent != 0 {
		return fmt.Errorf("%s: percent of a mirror is a whole number, and %s is none; use whole percents", ref, s.Mirror)
	}
	switch {
	case mirrors && !isService(main, t, t.Base):
		return fmt.Errorf("%s: spec.mirroring does not send to Service %s but to %s; name the Service in spec.service of the deploy spec", ref, t.Base, text(main, "name"))
	case mirrors && s.Mirror == 0:
		return fmt.Errorf("%s mirrors (spec.mirroring), and has no weights to divide; put the mirroring TraefikService and Service %s beside each other, "+
			"or divide by one with spec.weighted", ref, t.Base)
	case mirrors:
		return nil
	}
	base := slices.IndexFunc(entries, func(e map[string]any) bool { return isBase(e, t) || isService(e, t, t.Candidate) })
	if base < 0 {
		return fmt.Errorf("%s has no entry of Service %s in spec.weighted.services; name the Service in spec.service of the deploy spec, "+
			"or the TraefikService that sends to it in spec.traffic.traefik", ref, t.Base)
	}
	if weightOf(entries[base]) <= 0 {
		return fmt.Errorf("%s sends nothing to Service %s: its weight is 0; give it a weight", ref, t.Base)
	}
	return nil
}

// divided are the entries with the candidate's part. At full share it takes the base's place, whose Service may then be empty.
func divided(entries []map[string]any, t plan.Traffic, weight plan.Share) []map[string]any {
	entries = slices.Clone(entries)
	at := slices.IndexFunc(entries, func(e map[string]any) bool { return isService(e, t, t.Base) })
	candidate := with(entries[at], "name", t.Candidate)
	if weight == plan.All {
		entries[at] = candidate
		return entries
	}
	scale, share := int64(100), int64(weight/plan.OnePercent)
	if weight%plan.OnePercent != 0 {
		unit := gcd(int64(plan.All), int64(weight))
		scale, share = int64(plan.All)/unit, int64(weight)/unit
	}
	total := weightOf(entries[at])
	if len(entries) == 1 {
		total = 1
	}
	for i, e := range entries {
		if n := weightOf(e); i != at {
			entries[i] = with(e, "weight", n*scale)
		}
	}
	entries[at] = with(entries[at], "weight", total*(scale-share))
	return slices.Insert(entries, at+1, with(candidate, "weight", total*share))
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// restore takes the candidate, our mirror and our mark out of a TraefikService.
func restore(o *unstructured.Unstructured, t plan.Traffic, mark string, before plan.Object) (bool, error) {
	m, known := readMemo(o, mark)
	if !known && before != nil {
		m = remember(before, t)
	}
	was := plan.Digest(o.Object)
	if entries := entriesOf(o.Object); entries != nil {
		if err := set(o, plain(entries, t, m), "spec", "weighted", "services"); err != nil {
			return false, err
		}
	}
	if main := mapAt(o.Object, "spec", "mirroring"); main != nil {
		if err := unmirrored(o, t, m); err != nil {
			return false, err
		}
	}
	if err := traffic.Remember[memo](o, mark, nil); err != nil {
		return false, err
	}
	return plan.Digest(o.Object) != was, nil
}

// plain are the entries as the user wrote them. Where nothing is known of before, and nothing of ours is among them, they stay.
func plain(entries []map[string]any, t plan.Traffic, m memo) []map[string]any {
	hasBase := slices.ContainsFunc(entries, func(e map[string]any) bool { return isBase(e, t) })
	var all []map[string]any
	for _, e := range entries {
		switch {
		case isService(e, t, t.Candidate) && hasBase:
			continue
		case isService(e, t, t.Candidate):
			e = with(e, "name", t.Base)
		case isMirror(e, t):
			e = with(with(e, "name", t.Base), "kind", orNil(m.Kind))
		}
		all = append(all, m.weighed(e))
	}
	return all
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}
