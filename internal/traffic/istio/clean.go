package istio

import (
	"maps"
	"slices"

	"github.com/tidegate/tidegate/internal/plan"
)

// cleaned are the routes without anything of ours.
func (t between) cleaned(present []map[string]any, m memo) []map[string]any {
	routes := slices.DeleteFunc(slices.Clone(present), t.isOurs)
	for i, key := range keysOf(routes) {
		var was *old
		if o, ok := m.Routes[key]; ok {
			was = &o
		}
		routes[i] = t.cleanMirror(t.clean(routes[i], was), was)
	}
	return routes
}

// clean is a route with the destinations that it had. What somebody added meanwhile stays.
func (t between) clean(r map[string]any, was *old) map[string]any {
	all := destinations(r)
	entries, sums := t.merged(all, was)
	if len(entries) == len(all) && was == nil {
		return r // there is nothing of ours, and nothing is known of it
	}
	for i, e := range entries {
		original := was.entry(keyOf(e))
		_, weighed := original["weight"]
		switch {
		case original != nil && !weighed && len(was.Entries) == 1 && len(entries) > 1:
			// It was alone and needed no weight, and now somebody has put another beside it.
			entries[i] = withWeight(e, sums[i])
		case original != nil && !weighed:
			entries[i] = maps.Clone(e)
			delete(entries[i], "weight")
		case original != nil:
			entries[i] = maps.Clone(e)
			entries[i]["weight"] = original["weight"]
		case sums[i] != weightOf(e):
			entries[i] = withWeight(e, sums[i])
		}
	}
	return withDestinations(r, entries)
}

// merged are the destinations without the candidate's, and with those of a draw as the one that they repeat. sums are the
// weights that each has together with what was taken out for it.
func (t between) merged(all []map[string]any, was *old) (entries []map[string]any, sums []int64) {
	var candidate map[string]any
	var pending int64
	base := false
	for _, e := range all {
		key, last := keyOf(e), len(entries)-1
		original := was.entry(key)
		first := slices.IndexFunc(entries, func(other map[string]any) bool { return keyOf(other) == key })
		switch {
		case t.isCandidate(e):
			if candidate = e; last >= 0 && t.isHost(textAt(mapAt(entries[last], "destination"), "host"), t.Base) {
				sums[last] += weightOf(e)
			} else {
				pending += weightOf(e)
			}
			continue
		case !t.isDrawn(e, original, all):
		case first >= 0:
			sums[first] += weightOf(e)
			continue
		default:
			e = undrawn(e, original)
		}
		base = base || t.isHost(textAt(mapAt(e, "destination"), "host"), t.Base)
		entries, sums = append(entries, e), append(sums, weightOf(e))
	}
	if candidate != nil && !base {
		entries, sums = t.baseAgain(candidate, was, entries, sums, pending)
	}
	return entries, sums
}

// baseAgain puts the base back where somebody took it out beside the candidate: a route must send somewhere.
func (t between) baseAgain(candidate map[string]any, was *old, entries []map[string]any, sums []int64, weight int64) ([]map[string]any, []int64) {
	back := maps.Clone(candidate)
	to := maps.Clone(mapAt(candidate, "destination"))
	to["host"] = t.Base + textAt(to, "host")[len(t.Candidate):]
	back["destination"] = to
	if was != nil {
		if i := slices.IndexFunc(was.Entries, t.isBase); i >= 0 {
			back = was.Entries[i]
		}
	}
	return append([]map[string]any{back}, entries...), append([]int64{weight}, sums...)
}

// mirrorFields are the fields of a route about its one mirror, as they are.
func mirrorFields(r map[string]any) map[string]any {
	fields := map[string]any{}
	for _, name := range mirrorNames() {
		if value, ok := r[name]; ok {
			fields[name] = value
		}
	}
	if len(fields) == 0 {
		return nil
	}
	return fields
}

// mirrorNames: the last two are older forms of the second.
func mirrorNames() []string {
	return []string{"mirror", "mirrorPercentage", "mirrorPercent", "mirror_percent"}
}

// withMirror copies a share of the route's requests to the candidate. A route has one mirror, or a list; where the user has
// one already it becomes the first of a list.
func (t between) withMirror(r map[string]any, share plan.Share) map[string]any {
	r = maps.Clone(r)
	entries := destinations(r)
	at := slices.IndexFunc(entries, t.isBase)
	to := t.candidateDestination(mapAt(entries[at], "destination"))
	percentage := map[string]any{"value": float64(share) / float64(plan.OnePercent)}
	list := maplist(r, "mirrors")
	if len(list) == 0 && r["mirror"] == nil {
		for _, name := range mirrorNames() {
			delete(r, name)
		}
		r["mirror"], r["mirrorPercentage"] = to, percentage
		return r
	}
	if r["mirror"] != nil {
		list = append([]map[string]any{listed(r)}, list...)
		for _, name := range mirrorNames() {
			delete(r, name)
		}
	}
	r["mirrors"] = anylist(append(list, map[string]any{"destination": to, "percentage": percentage}))
	return r
}

// listed is the one mirror of a route as an element of a list.
func listed(r map[string]any) map[string]any {
	one := map[string]any{"destination": r["mirror"]}
	switch {
	case r["mirrorPercentage"] != nil:
		one["percentage"] = r["mirrorPercentage"]
	case r["mirrorPercent"] != nil:
		one["percentage"] = map[string]any{"value": r["mirrorPercent"]}
	case r["mirror_percent"] != nil:
		one["percentage"] = map[string]any{"value": r["mirror_percent"]}
	}
	return one
}

// mirrorsToCandidate tells whether a route copies requests to the candidate.
func (t between) mirrorsToCandidate(r map[string]any) bool {
	return t.isHost(textAt(mapAt(r, "mirror"), "host"), t.Candidate) || slices.ContainsFunc(maplist(r, "mirrors"), t.isCandidate)
}

// cleanMirror is a route with the mirrors that it had.
func (t between) cleanMirror(r map[string]any, was *old) map[string]any {
	if !t.mirrorsToCandidate(r) {
		return r
	}
	r = maps.Clone(r)
	var before map[string]any
	if was != nil {
		before = was.Mirror
	}
	if r["mirrors"] == nil {
		for _, name := range mirrorNames() {
			delete(r, name)
		}
		maps.Copy(r, before)
		return r
	}
	list := slices.DeleteFunc(maplist(r, "mirrors"), t.isCandidate)
	if before["mirror"] != nil && r["mirror"] == nil {
		moved := plan.Digest(listed(before))
		if i := slices.IndexFunc(list, func(m map[string]any) bool { return plan.Digest(m) == moved }); i >= 0 {
			list = slices.Delete(list, i, i+1)
			maps.Copy(r, before)
		}
	}
	if r["mirrors"] = anylist(list); len(list) == 0 {
		delete(r, "mirrors")
	}
	return r
}
