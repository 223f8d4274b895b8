package runner

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// summaryLimit is the size of a step's summary that GitHub takes, in bytes.
const summaryLimit = 1024 * 1024

// files are a step's file commands, by the names of their variables.
type files struct{ output, state, environment, path, summary string }

func newFiles(dir string, step int) (files, error) {
	at := func(prefix string) string { return filepath.Join(dir, prefix+"_"+strconv.Itoa(step)) }
	f := files{at("set_output"), at("save_state"), at("set_env"), at("add_path"), at("step_summary")}
	for _, path := range f.env() {
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			return f, fmt.Errorf("the file commands could not be prepared: %w", err)
		}
	}
	return f, nil
}

func (f files) env() map[string]string {
	return map[string]string{
		"GITHUB_OUTPUT": f.output, "GITHUB_STATE": f.state, "GITHUB_ENV": f.environment, "GITHUB_PATH": f.path,
		"GITHUB_STEP_SUMMARY": f.summary,
	}
}

// refusal is an error in the runner's own words, so that what a person would search for is found.
type refusal string

func (r refusal) Error() string { return string(r) }

// pair is one assignment of a file command.
type pair struct{ name, value string }

// readPairs reads a file of name=value and name<<delimiter assignments. With an error come the pairs that stood before
// the fault: the runner has used them by then. A file that was removed is an empty one.
func readPairs(path string) ([]pair, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return parsePairs(strings.TrimPrefix(string(text), "\ufeff"))
}

func parsePairs(text string) (pairs []pair, err error) {
	for text != "" {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		if line == "" {
			continue
		}
		equals, heredoc := strings.Index(line, "="), strings.Index(line, "<<")
		switch {
		case equals >= 0 && (heredoc < 0 || equals < heredoc):
			pairs = append(pairs, pair{line[:equals], line[equals+1:]})
		case heredoc >= 0:
			p := pair{name: line[:heredoc]}
			delimiter := line[heredoc+2:]
			if p.name == "" || delimiter == "" {
				return pairs, refusal("Invalid format '" + line + "'. Name must not be empty and delimiter must not be empty")
			}
			if p.value, text, err = readHeredoc(text, delimiter); err != nil {
				return pairs, err
			}
			pairs = append(pairs, p)
		default:
			return pairs, refusal("Invalid format '" + line + "'")
		}
	}
	return pairs, nil
}

// readHeredoc reads lines up to the one that is the delimiter, which may be the last one without an end of line. The last
// line end before it is not part of the value.
func readHeredoc(text, delimiter string) (value, rest string, err error) {
	var lines []string
	for text != "" {
		line, after, ended := strings.Cut(text, "\n")
		if line == delimiter {
			return strings.Join(lines, "\n"), after, nil
		}
		if !ended {
			return "", "", refusal("Invalid value. EOF marker missing new line.")
		}
		lines, text = append(lines, line), after
	}
	return "", "", refusal("Invalid value. Matching delimiter not found '" + delimiter + "'")
}

// readLines reads a file of one value per line.
func readLines(path string) ([]string, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' || r == '\r' }), err
}

// readSummary refuses what is too long.
func readSummary(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil || info.Size() == 0 {
		return "", nil
	}
	if info.Size() > summaryLimit {
		return "", fmt.Errorf("$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of %dk, got %dk", summaryLimit/1024, info.Size()/1024)
	}
	text, err := os.ReadFile(path)
	return string(text), err
}
