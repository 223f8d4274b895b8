package spec

import "strings"

// finisher is a type with more to say than its tags can: a default that comes
// from another field, a mistake between two fields. It is asked once the
// fields are filled in, whatever mistakes they had.
type finisher interface{ finish(s scope) }

// scope reports mistakes below the value that is being finished.
type scope struct {
	d    *decoder
	path string
}

// fail records a mistake at a path below the value, or the nearest place above
// it that is in the document.
func (s scope) fail(path, message, hint string) {
	full := join(s.path, path)
	for at := full; ; at = parent(at) {
		if p, ok := s.d.spots[at]; ok {
			s.d.fail(place{p.node, full, p.shown}, message, hint)
			return
		}
	}
}

// written reports whether a path below the value is in the document.
func (s scope) written(path string) bool {
	_, ok := s.d.spots[join(s.path, path)]
	return ok
}

// ok reports whether no mistake was found at a path below the value, nor
// beneath it.
func (s scope) ok(path string) bool {
	full := join(s.path, path)
	for failed := range s.d.failed {
		if rest, found := strings.CutPrefix(failed, full); found && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			return false
		}
	}
	return true
}

// parent is the path of what holds a field or element.
func parent(path string) string {
	return path[:max(strings.LastIndexAny(path, ".["), 0)]
}
