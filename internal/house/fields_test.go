package house

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/spec"
)

// fields is one table for every block of the spec, in the types' order.
func fields(*testing.T, string) string {
	var b strings.Builder
	writeBlock(&b, "", reflect.TypeFor[spec.Deploy](), map[reflect.Type]bool{})
	return b.String()
}

func writeBlock(b *strings.Builder, path string, t reflect.Type, done map[reflect.Type]bool) {
	if done[t] {
		return
	}
	done[t] = true
	title := "The document"
	if path != "" {
		title = "`" + path + "`"
	}
	fmt.Fprintf(b, "### %s\n\n| field | type | default | meaning |\n| --- | --- | --- | --- |\n", title)
	type block struct {
		path string
		t    reflect.Type
	}
	var below []block
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		options := strings.Split(f.Tag.Get("spec"), ",")
		kind, inner, suffix := kindOf(f.Type, options)
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", name, kind, defaultOf(options, choices(t)), strings.ReplaceAll(f.Tag.Get("doc"), "|", `\|`))
		if inner != nil {
			below = append(below, block{strings.TrimPrefix(path+"."+name+suffix, "."), inner})
		}
	}
	b.WriteString("\n")
	for _, next := range below {
		writeBlock(b, next.path, next.t, done)
	}
}

// kindOf is a field's type in words, and the block that is written below it, if any.
func kindOf(t reflect.Type, options []string) (words string, inner reflect.Type, suffix string) {
	for _, o := range options {
		if list, ok := strings.CutPrefix(o, "enum="); ok {
			return "`" + strings.ReplaceAll(list, "|", "`, `") + "`", nil, ""
		}
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t {
	case reflect.TypeFor[spec.Workload]():
		return "`deployment/NAME`, `statefulset/NAME` or `daemonset/NAME`", nil, ""
	case reflect.TypeFor[spec.Duration]():
		return "duration", nil, ""
	case reflect.TypeFor[spec.Percent]():
		return "share", nil, ""
	case reflect.TypeFor[spec.Amount]():
		return "pods, or share", nil, ""
	case reflect.TypeFor[spec.Expandable](), reflect.TypeFor[spec.Credential]():
		return "text, `${NAME}`", nil, ""
	case reflect.TypeFor[spec.Environments]():
		return "overlays by name", nil, ""
	case reflect.TypeFor[spec.Step]():
		return "share, or block", t, ""
	case reflect.TypeFor[spec.Failures]():
		return "number, or block", t, ""
	}
	switch t.Kind() {
	case reflect.Struct:
		return "block", t, ""
	case reflect.Slice:
		words, inner, _ = kindOf(t.Elem(), nil)
		return "list of " + plural(words), inner, "[]"
	case reflect.Map:
		words, inner, _ = kindOf(t.Elem(), nil)
		return plural(words) + " by name", inner, ".NAME"
	case reflect.Bool:
		return "`true`, `false`", nil, ""
	case reflect.Int:
		return "number", nil, ""
	}
	return "text", nil, ""
}

func plural(words string) string {
	words = strings.ReplaceAll(words, "block", "blocks")
	if words != "pods, or share" {
		words = strings.ReplaceAll(words, "share", "shares")
	}
	return strings.ReplaceAll(words, "text", "texts")
}

// choices counts the fields of which exactly one is set.
func choices(t reflect.Type) int {
	n := 0
	for _, f := range reflect.VisibleFields(t) {
		if strings.HasPrefix(f.Tag.Get("spec"), "oneof") {
			n++
		}
	}
	return n
}

func defaultOf(options []string, choices int) string {
	text := ""
	for _, o := range options {
		switch {
		case o == "required":
			return "required"
		case o == "oneof" && choices == 1:
			text = "required"
		case o == "oneof":
			text = "exactly one of these"
		case strings.HasPrefix(o, "default="):
			return "`" + strings.TrimPrefix(o, "default=") + "`"
		}
	}
	return text
}
