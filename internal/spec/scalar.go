package spec

import (
	"encoding"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// ambiguous is what YAML 1.1 and 1.2 read differently and this parser reads as
// text: truth values, numbers to base 60, numbers with leading zeros or
// underscores.
var ambiguous = regexp.MustCompile(`^(y|Y|n|N|[Yy]es|YES|[Nn]o|NO|[Oo]n|ON|[Oo]ff|OFF|=|` +
	`[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?|[-+]?0[0-9_]+|[-+]?0[box][0-9A-Fa-f_]+|[-+]?[0-9]+_[0-9_]*)$`)

// plainDigits is a whole number that every YAML reads alike.
var plainDigits = regexp.MustCompile(`^(0|-?[1-9][0-9]{0,8})$`)

// quoted reports a scalar that every YAML reads as the same text; it reports
// the mistake if not.
func (d *decoder) quoted(p place) bool {
	if !isPlain(p.node) {
		return true
	}
	read := ""
	switch tag := p.node.ShortTag(); {
	case ambiguous.MatchString(p.node.Value):
		read = "differently by YAML 1.1 and 1.2"
	case tag == "!!int" || tag == "!!float":
		read = "as a number"
	case tag == "!!bool":
		read = "as a truth value"
	case tag == "!!timestamp":
		read = "as a date"
	case tag == "!!null":
		read = "as no value"
	default:
		return true
	}
	d.fail(p, fmt.Sprintf("unquoted `%s` is read %s", p.node.Value, read), fmt.Sprintf("Quote it: %q.", p.node.Value))
	return false
}

// text decodes a string, or a type that reads itself from one.
func (d *decoder) text(p place, r rule, v reflect.Value) {
	self, own := v.Addr().Interface().(encoding.TextUnmarshaler)
	switch {
	case p.node.Kind != yaml.ScalarNode:
		d.mismatch(p, wanted(v.Type(), r))
	case own && isPlain(p.node) && p.node.ShortTag() == "!!bool":
		d.mismatch(p, wanted(v.Type(), r))
	case own:
		d.own(p, r, self)
	case len(r.enum) > 0:
		if slices.Contains(r.enum, p.node.Value) && d.quoted(p) {
			v.SetString(p.node.Value)
		} else if !d.failed[p.path] {
			d.fail(p, fmt.Sprintf("%q is not a choice%s", shorten(p.node.Value), didYouMean(p.node.Value, r.enum)), "It must be "+oneOf(r.enum)+".")
		}
	case d.quoted(p):
		d.plain(p, r, v)
	}
}

// wanted is what a text should be, in a person's words.
func wanted(t reflect.Type, r rule) string {
	switch t {
	case reflect.TypeFor[Duration]():
		return "a duration such as 30s"
	case reflect.TypeFor[Percent]():
		return "a share such as 25%"
	case reflect.TypeFor[Amount]():
		return "a number of pods or a share such as 25%"
	case reflect.TypeFor[Workload]():
		return "kind/name"
	}
	if len(r.enum) > 0 {
		return oneOf(r.enum)
	}
	return "text"
}

// own lets a type read itself.
func (d *decoder) own(p place, r rule, self encoding.TextUnmarshaler) {
	if err := unescaped(p.node.Value); err != nil {
		d.failWith(p, err)
		return
	}
	if err := self.UnmarshalText([]byte(p.node.Value)); err != nil {
		d.failWith(p, err)
		return
	}
	if r.positive && reflect.ValueOf(self).Elem().IsZero() {
		d.fail(p, fmt.Sprintf("%s is too short", p.node.Value), "It must be more than zero.")
	}
}

// plain decodes a string.
func (d *decoder) plain(p place, r rule, v reflect.Value) {
	text := p.node.Value
	switch v.Type() {
	case reflect.TypeFor[Expandable](), reflect.TypeFor[Credential]():
		if _, err := references(text); err != nil {
			d.failWith(p, err)
			return
		}
	default:
		if err := unescaped(text); err != nil {
			d.failWith(p, err)
			return
		}
		text = strings.ReplaceAll(text, "$${", "${")
	}
	v.SetString(text)
	d.check(p, r.format, p.node.Value)
	if v.Type() == reflect.TypeFor[Credential]() && len(namesIn(text)) == 0 && utf8.RuneCountInString(text) < shortestSecret {
		d.fail(p, "is too short for a credential", fmt.Sprintf("It needs at least %d characters, or it could not be masked; better name a variable: \"${NAME}\".", shortestSecret))
	}
}

// unescaped refuses a variable where none is expanded.
func unescaped(text string) error {
	if strings.Contains(strings.ReplaceAll(text, "$${", ""), "${") {
		return hint("`${` is not expanded here", "Variables are only expanded in the URLs, headers and credentials of providers; write $${ for the characters themselves.")
	}
	return nil
}

// check reports a text that its format refuses.
func (d *decoder) check(p place, name, text string) {
	if err := formatNamed(name).accept(text); err != nil {
		d.failWith(p, err)
	}
}

// failWith records an error, and its hint if it has one.
func (d *decoder) failWith(p place, err error) {
	message, hint := explain(err)
	d.fail(p, message, hint)
}

// boolean decodes true or false, and nothing else.
func (d *decoder) boolean(p place, v reflect.Value) {
	if !isPlain(p.node) || p.node.Value != "true" && p.node.Value != "false" {
		d.mismatch(p, "true or false")
		return
	}
	v.SetBool(p.node.Value == "true")
}

// integer decodes a number in plain digits.
func (d *decoder) integer(p place, r rule, v reflect.Value) {
	if !isPlain(p.node) || !plainDigits.MatchString(p.node.Value) {
		d.mismatch(p, "a whole number in plain digits")
		return
	}
	n, err := strconv.Atoi(p.node.Value)
	if err != nil {
		d.mismatch(p, "a whole number in plain digits")
		return
	}
	if n < r.min {
		d.fail(p, fmt.Sprintf("%d is too small", n), fmt.Sprintf("It must be at least %d.", r.min))
		return
	}
	v.SetInt(int64(n))
}

// defaults gives the fields that are not there the values that their tags say.
func (d *decoder) defaults(s shape, present map[string]bool, v reflect.Value) {
	for _, f := range s.fields {
		if f.fallback != "" && !present[f.name] && f.name != s.short {
			d.setDefault(f, v.Field(f.index))
		}
	}
}

// setDefault gives a field the value that its tag says.
func (d *decoder) setDefault(f field, v reflect.Value) {
	n := &yaml.Node{Kind: yaml.ScalarNode, Value: f.fallback}
	fresh := newDecoder(d.file, nil, nil, false)
	fresh.decode(place{node: n}, f.rule, v)
	if len(fresh.problems) > 0 {
		panic(fmt.Sprintf("spec: default of %s: %v", f.name, fresh.problems))
	}
}
