package house

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/report"
)

// status is a table of the JSON of `status`, keeping what is written about each field.
func status(t *testing.T, present string) string {
	about := lastCells(present)
	var b strings.Builder
	b.WriteString("| field | is |\n| --- | --- |\n")
	var walk func(prefix string, of reflect.Type)
	walk = func(prefix string, of reflect.Type) {
		for _, f := range reflect.VisibleFields(of) {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "" || name == "-" {
				continue
			}
			below, suffix := f.Type, ""
			for below.Kind() == reflect.Pointer || below.Kind() == reflect.Slice {
				if below.Kind() == reflect.Slice {
					suffix = "[]"
				}
				below = below.Elem()
			}
			path := prefix + name + suffix
			if about[path] == "" {
				t.Errorf("docs/reference.md says nothing of the field %s of status", path)
			}
			fmt.Fprintf(&b, "| `%s` | %s |\n", path, about[path])
			if below.Kind() == reflect.Struct && strings.HasPrefix(below.Name(), "Status") {
				walk(path+".", below)
			}
		}
	}
	walk("", reflect.TypeFor[report.StatusDocument]())
	return b.String()
}
