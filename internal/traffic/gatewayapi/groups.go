package gatewayapi

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// asked is one header that every request of a group has.
type asked struct {
	header map[string]any // as a route asks for it
	value  string         // what a request has there; for a cookie nobody knows, for there may be others beside it
	cookie bool
}

// side is one version that requests of a group find, and which of them.
type side struct {
	asks      []asked
	candidate bool
}

// group are requests that find a version by rules of their own.
type group struct {
	prefix string // of the rules' names
	asks   []asked
	sides  []side
	// last: its rules stand behind the user's, and lose to those that ask for as much.
	last bool
	// also is what the rules are repeated with where asks adds nothing to them, for rules that ask for more not to win.
	also []asked
}

// ranked is a rule that is repeated for a group, before it has a name.
type ranked struct {
	rule    map[string]any
	place   int // of what it repeats
	matches []gained
}

// gained is a match that is repeated: its rank in the user's rule, and now.
type gained struct {
	match    map[string]any
	was, now rank
}

// best is the highest rank of what is repeated.
func (r ranked) best() rank {
	best := rank{}
	for _, m := range r.matches {
		best = best.higher(m.was)
	}
	return best
}

// before tells whether a rule has to stand before another one: some requests that both take now are those of the first today.
func (r ranked) before(other ranked) bool {
	return slices.ContainsFunc(r.matches, func(a gained) bool {
		return slices.ContainsFunc(other.matches, func(b gained) bool {
			won := a.was.compare(b.was)
			return a.now == b.now && (won > 0 || won == 0 && r.place < other.place) && together(a.match, b.match)
		})
	})
}

// ordered puts the highest first, but for those that have to stand before others.
func ordered(all []ranked) []ranked {
	left := slices.Clone(all)
	slices.SortStableFunc(left, func(a, b ranked) int { return b.best().compare(a.best()) })
	var list []ranked
	for len(left) > 0 {
		i := slices.IndexFunc(left, func(r ranked) bool {
			return !slices.ContainsFunc(left, func(other ranked) bool { return other.before(r) })
		})
		i = max(i, 0)
		list, left = append(list, left[i]), slices.Delete(left, i, i+1)
	}
	return list
}

// rules are those by which the group's requests find their version: every rule that takes part again, for requests of the
// group only, and every rule that those would otherwise overtake, as it is. Each gains the same, so that among the
// group's requests each rule has the precedence that it has today. restored are the user's rules, without anything of ours.
func (g group) rules(restored []map[string]any, t between) ([]map[string]any, error) {
	var all []ranked
	for i, rule := range restored {
		matches, sides := t.matchesOf(rule), g.sides
		if !takesPart(rule, t) {
			matches, sides = g.overtaken(restored, i, t), []side{{asks: g.asks}}
		}
		for _, s := range sides {
			again, err := g.repeat(rule, matches, s, t)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", nameOrNumber(rule, i), err)
			}
			if again.place = i; again.rule != nil { // otherwise no request of the group comes here
				all = append(all, again)
			}
		}
	}
	// A rule of the user's that matches what the group has already gains nothing: its place decides then.
	rules := make([]map[string]any, len(all))
	for i, r := range ordered(all) {
		r.rule["name"] = fmt.Sprintf("%s%s-%d", g.prefix, t.Base, i+1)
		rules[i] = r.rule
	}
	return rules, nil
}

// repeat is a rule for those of its requests that are of one side.
func (g group) repeat(rule map[string]any, matches []map[string]any, s side, t between) (ranked, error) {
	var narrowed []any
	var again ranked
	add := func(match, with map[string]any) {
		narrowed = append(narrowed, with)
		again.matches = append(again.matches, gained{match, rankOf(match), rankOf(with)})
	}
	for _, match := range matches {
		with, possible, err := narrow(match, s.asks)
		if err != nil {
			return ranked{}, err
		}
		if !possible {
			continue
		}
		add(match, with)
		if len(g.also) > 0 && rankOf(with) == rankOf(match) {
			if more, _, err := narrow(with, g.also); err == nil {
				add(match, more)
			}
		}
	}
	if len(narrowed) == 0 {
		return ranked{}, nil
	}
	again.rule = maps.Clone(rule)
	again.rule["matches"] = narrowed
	if s.candidate {
		again.rule = toCandidate(again.rule, t)
	}
	return again, nil
}

// toCandidate sends what the rule gives the base to the candidate.
func toCandidate(rule map[string]any, t between) map[string]any {
	refs := backends(rule)
	for i, ref := range refs {
		if t.isService(ref, t.Base) {
			refs[i] = maps.Clone(ref)
			refs[i]["name"] = t.Candidate
		}
	}
	return withBackends(rule, refs)
}

// overtaken are the matches of rule i that win over a rule which takes part, and would not any more once that one asks for
// the group's headers too.
func (g group) overtaken(rules []map[string]any, i int, t between) []map[string]any {
	var list []map[string]any
	for _, match := range t.matchesOf(rules[i]) {
		if slices.ContainsFunc(seq(len(rules)), func(j int) bool {
			return takesPart(rules[j], t) && slices.ContainsFunc(t.matchesOf(rules[j]), func(moved map[string]any) bool {
				won := rankOf(match).compare(rankOf(moved))
				return (won > 0 || won == 0 && i < j) && g.overtakes(moved, match, g.last)
			})
		}) {
			list = append(list, match)
		}
	}
	return list
}

func seq(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

// overtakes tells whether a match, once it asks for the group's headers, would get requests of the other one, which wins
// ties or not.
func (g group) overtakes(moved, other map[string]any, losesTies bool) bool {
	with, possible, err := narrow(moved, g.asks)
	if err != nil || !possible {
		return false
	}
	_, shared, err := narrow(other, g.asks)
	won := rankOf(with).compare(rankOf(other))
	return (shared || err != nil) && (won > 0 || won == 0 && !losesTies) && together(moved, other)
}

// narrow is a match for those of its requests that have what is asked. possible is false when there are none.
func narrow(match map[string]any, asks []asked) (with map[string]any, possible bool, err error) {
	headers := maplist(match, "headers")
	for _, a := range asks {
		i := slices.IndexFunc(headers, func(h map[string]any) bool { return strings.EqualFold(text(h, "name"), text(a.header, "name")) })
		switch {
		case i < 0:
			headers = append(headers, a.header)
		case a.cookie:
			return nil, false, fmt.Errorf("it matches by the header Cookie already, and a route can ask for each header once")
		case !takes(headers[i], a.value):
			return nil, false, nil
		default:
			headers[i] = a.header // what it asked for is true of this value
		}
	}
	with = maps.Clone(match)
	list := make([]any, len(headers))
	for i, h := range headers {
		list[i] = h
	}
	with["headers"] = list
	return with, true, nil
}

// takes tells whether a header match takes a value. An expression that is unknown here is taken to do so.
func takes(header map[string]any, value string) bool {
	wanted, _ := header["value"].(string)
	if header["type"] != "RegularExpression" {
		return wanted == value
	}
	expression, err := regexp.Compile("^(?:" + wanted + ")$")
	return err != nil || expression.MatchString(value)
}
