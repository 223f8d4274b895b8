package spec

import (
	"fmt"
	"strings"
)

// nearest is the known name that was probably meant, empty if none is near.
func nearest(name string, known []string) string {
	best, limit := "", 1+len(name)/4
	for _, k := range known {
		if distance := editDistance(strings.ToLower(name), strings.ToLower(k)); distance <= limit {
			best, limit = k, distance-1
		}
	}
	return best
}

// didYouMean continues a message with the nearest known name, if there is one.
func didYouMean(name string, known []string) string {
	if n := nearest(name, known); n != "" {
		return fmt.Sprintf(": did you mean `%s`?", n)
	}
	return ""
}

// oneOf lists choices in a person's words: `a`, `b` or `c`.
func oneOf(names []string) string { return list(names, " or ") }

// list joins names with commas and, before the last, a word.
func list(names []string, word string) string {
	if len(names) == 0 {
		return ""
	}
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = "`" + name + "`"
	}
	last := len(quoted) - 1
	if last == 0 {
		return quoted[0]
	}
	return strings.Join(quoted[:last], ", ") + word + quoted[last]
}

// editDistance counts the letters to insert, delete, replace, or swap with
// their neighbour. Names longer than a field's could ever be are far away.
func editDistance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return max(len(a), len(b))
	}
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}
