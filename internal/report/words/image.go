package words

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Images says what changes: "v1 → v2" for one container, "web v1 → v2, worker v7 → v8" for several. What both images
// have in common is left out; without a known old image only the new one is named.
func Images(from, to map[string]string) string {
	var parts []string
	for _, container := range slices.Sorted(maps.Keys(to)) {
		change := Change(from[container], to[container])
		if len(to) > 1 {
			change = Line(container) + " " + change
		}
		parts = append(parts, change)
	}
	return strings.Join(parts, ", ")
}

// Change is "v1 → v2" for two images of one repository. Images of different repositories keep what tells them apart.
func Change(from, to string) string {
	old, now := Versions(from, to)
	if old == "" {
		return now
	}
	return old + " → " + now
}

// Versions are the short names of two images: their tags, or digests, when the repository is the same.
func Versions(from, to string) (old, now string) {
	a, b := parse(Line(from)), parse(Line(to))
	switch {
	case from == "":
		return "", b.short()
	case from == to:
		return a.short(), b.short()
	case a.repository != b.repository:
		shared := sharedPath(a.repository, b.repository)
		return a.under(shared), b.under(shared)
	case a.tag == b.tag && a.digest != b.digest:
		return a.exact(), b.exact()
	}
	return a.short(), b.short()
}

// Version is the short name of one image: its tag, else its digest, else its name.
func Version(image string) string {
	_, now := Versions("", image)
	return now
}

// image is a reference in its parts.
type image struct{ repository, tag, digest string }

func parse(ref string) image {
	var i image
	i.repository, i.digest, _ = strings.Cut(ref, "@")
	// A colon after the last slash begins the tag; one before it belongs to the registry's port.
	if colon := strings.LastIndexByte(i.repository, ':'); colon > strings.LastIndexByte(i.repository, '/') {
		i.repository, i.tag = i.repository[:colon], i.repository[colon+1:]
	}
	return i
}

// hash is a tag that is a commit or another long digest.
var hash = regexp.MustCompile(`^[0-9a-f]{20,}$`)

const (
	longestTag = 24
	shortHash  = 7 // as git shortens
)

func shorten(tag string) string {
	if hash.MatchString(tag) {
		return tag[:shortHash]
	}
	return Cut(tag, longestTag)
}

func (i image) short() string {
	switch {
	case i.tag != "":
		return shorten(i.tag)
	case i.digest != "":
		return shorten(strings.TrimPrefix(i.digest, "sha256:"))
	case i.repository == "":
		return "?"
	}
	return i.repository[strings.LastIndexByte(i.repository, '/')+1:] + " (latest)"
}

// exact tells two images of one tag apart by their digests.
func (i image) exact() string {
	digest := "no digest"
	if i.digest != "" {
		digest = shorten(strings.TrimPrefix(i.digest, "sha256:"))
	}
	if i.tag == "" {
		return digest
	}
	return shorten(i.tag) + "@" + digest
}

// under is the image without the first part of its path.
func (i image) under(shared string) string {
	return strings.TrimPrefix(i.repository, shared) + ":" + i.short()
}

// sharedPath is the longest common beginning that ends in a slash.
func sharedPath(a, b string) string {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return a[:strings.LastIndexByte(a[:n], '/')+1]
}
