package runner

import (
	"slices"
	"strings"
	"sync"
)

// masks are the values that must not be seen. They hold for the whole job.
type masks struct {
	mu     sync.Mutex
	values []string
}

// add takes a value, and every line of it: the log is masked line by line.
func (m *masks) add(value string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	lines := strings.FieldsFunc(value, func(r rune) bool { return r == '\r' || r == '\n' })
	for _, v := range append(lines, value) {
		if v != "" && !slices.Contains(m.values, v) {
			m.values = append(m.values, v)
		}
	}
}

// apply replaces every masked value by ***, values that overlap or touch by one.
func (m *masks) apply(text string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	hidden := make([]bool, len(text))
	found := false
	for _, v := range m.values {
		for at := strings.Index(text, v); at >= 0; {
			found = true
			for i := at; i < at+len(v); i++ {
				hidden[i] = true
			}
			next := strings.Index(text[at+1:], v)
			if next < 0 {
				break
			}
			at += 1 + next
		}
	}
	if !found {
		return text
	}
	var b strings.Builder
	for i := range len(text) {
		switch {
		case !hidden[i]:
			b.WriteByte(text[i])
		case i == 0 || !hidden[i-1]:
			b.WriteString("***")
		}
	}
	return b.String()
}
