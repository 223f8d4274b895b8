package runner

import (
	"slices"
	"strconv"
	"strings"
)

// command does what a workflow command says; the sink's lock is held.
func (s *sink) command(c command, line string) {
	switch c.name {
	case "error", "warning", "notice":
		s.annotate(c)
	case "group", "endgroup":
		s.group(c)
	case "add-mask":
		s.mask(c.data)
	case "debug":
		if s.debug {
			s.write("##[debug]" + c.data)
		}
	case "stop-commands":
		s.stop(c.data, line)
	case "set-output", "save-state":
		s.old(c)
	case "set-env", "add-path":
		s.fail("Unable to process command '" + line + "' successfully.")
		s.fail("The `" + c.name + "` command is disabled. Please upgrade to using Environment Files.")
	case "echo":
		if v := strings.ToLower(strings.TrimSpace(c.data)); v != "on" && v != "off" {
			s.fail("Invalid echo command value. Possible values can be: 'on', 'off'. Current value is: '" + c.data + "'.")
		}
	default:
		s.problem("the command %q is not obeyed here", c.name)
	}
}

func (s *sink) annotate(c command) {
	a := Annotation{Level: c.name, Title: c.properties["title"], Message: c.data}
	if file := c.properties["file"]; file != "" {
		a.File = relative(outside(s.mounts, file), s.workspace)
	}
	if line := c.properties["line"]; line != "" {
		n, err := strconv.Atoi(line)
		if err != nil {
			s.problem("the %s %.40q… has the line %q, which is no number", c.name, c.data, line)
		}
		a.Line = n
	}
	for name := range c.properties {
		if !slices.Contains([]string{"title", "file", "line", "endline", "col", "endcolumn"}, name) {
			s.problem("the %s %.40q… has the property %q, which GitHub does not know", c.name, c.data, name)
		}
	}
	if c.data == "" {
		s.problem("a command ::%s:: has no message", c.name)
	}
	s.issue(a)
}

// group begins or ends a group. GitHub folds one level: a group within a group ends the first.
func (s *sink) group(c command) {
	begins := c.name == "group"
	switch {
	case begins && s.open:
		s.problem("the group %q begins within %q, which it ends: GitHub folds one level", c.data, s.groups[len(s.groups)-1].Title)
	case !begins && !s.open:
		s.problem("a group was ended and none was open")
	}
	s.open = false
	if !begins {
		s.write("##[endgroup]")
		return
	}
	s.write("##[group]" + c.data)
	s.groups = append(s.groups, Group{Title: s.masks.apply(c.data)})
	s.open = true
}

func (s *sink) mask(value string) {
	if strings.TrimSpace(value) == "" {
		s.issue(Annotation{Level: "warning", Message: "Can't add secret mask for empty string in ##[add-mask] command."})
		s.problem("an empty value was to be masked")
		return
	}
	fresh := &masks{}
	fresh.add(value)
	for i, line := range s.lines {
		if fresh.apply(line) != line {
			s.problem("line %d of the log has a value that was masked only later: %q", i+1, fresh.apply(line))
		}
	}
	s.masks.add(value)
}

// stop refuses words that could come by themselves.
func (s *sink) stop(word, line string) {
	if word == "" || word == "pause-logging" || slices.Contains(known(), strings.ToLower(word)) {
		s.fail("Invoked ::stop-commands:: with an invalid token.")
		return
	}
	s.write(line)
	s.stopped = word
}

// old are the commands that file commands have replaced; they work, with a warning.
func (s *sink) old(c command) {
	name := c.properties["name"]
	if name == "" {
		s.fail("Required field 'name' is missing in ##[" + c.name + "] command.")
		return
	}
	s.problem("the command %s is deprecated: write to the file command", c.name)
	s.issue(Annotation{Level: "warning", Message: "The `" + c.name + "` command is deprecated and will be disabled soon. Please upgrade to using Environment Files."})
	if c.name == "set-output" {
		s.outputs[name] = c.data
	} else {
		s.state[name] = c.data
	}
}
