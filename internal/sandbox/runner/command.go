package runner

import (
	"slices"
	"strings"
)

// command is a workflow command. Its name is in lower case.
type command struct {
	name       string
	properties map[string]string
	data       string
}

// known are the names that the runner looks for; stop-commands adds the word that ends it.
func known() []string {
	return []string{
		"add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "error", "group", "notice", "remove-matcher",
		"save-state", "set-env", "set-output", "stop-commands", "warning",
	}
}

// parse reads ::name key=value,…::data, at the line's beginning, and the older ##[name key=value;…]data, anywhere in it.
func parse(line string, names []string) (command, bool) {
	if text, ok := strings.CutPrefix(strings.TrimLeft(line, " \t\r\v\f"), "::"); ok {
		if head, data, ok := strings.Cut(text, "::"); ok {
			if c, ok := parseHead(head, ",", names, unescapeProperty); ok {
				c.data = unescapeData(data)
				return c, true
			}
		}
	}
	if _, text, ok := strings.Cut(line, "##["); ok {
		if head, data, ok := strings.Cut(text, "]"); ok {
			if c, ok := parseHead(head, ";", names, unescapeOld); ok {
				c.data = unescapeOld(data)
				return c, true
			}
		}
	}
	return command{}, false
}

func parseHead(head, separator string, names []string, unescape func(string) string) (command, bool) {
	name, properties, _ := strings.Cut(head, " ")
	c := command{name: strings.ToLower(name), properties: map[string]string{}}
	for part := range strings.SplitSeq(strings.TrimSpace(properties), separator) {
		if key, value, ok := strings.Cut(part, "="); ok && key != "" && value != "" {
			c.properties[strings.ToLower(key)] = unescape(value)
		}
	}
	return c, slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
}

// looksLike tells whether a line was meant as a command, though it is none.
func looksLike(line string) bool {
	text, ok := strings.CutPrefix(strings.TrimSpace(line), "::")
	return ok && text != "" && (text[0] >= 'a' && text[0] <= 'z' || text[0] >= 'A' && text[0] <= 'Z')
}

// The percent sign comes last, as the runner has it: %250A is %0A and no line end.
func unescapeData(s string) string { return unescape(s, "%0D", "\r", "%0A", "\n", "%25", "%") }
func unescapeProperty(s string) string {
	return unescape(s, "%0D", "\r", "%0A", "\n", "%3A", ":", "%2C", ",", "%25", "%")
}
func unescapeOld(s string) string {
	return unescape(s, "%3B", ";", "%0D", "\r", "%0A", "\n", "%5D", "]", "%25", "%")
}

func unescape(s string, oldnew ...string) string {
	for i := 0; i < len(oldnew); i += 2 {
		s = strings.ReplaceAll(s, oldnew[i], oldnew[i+1])
	}
	return s
}
