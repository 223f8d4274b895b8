package spec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// MaxSize is the largest spec file, in bytes.
const MaxSize = 1 << 20

// readDocuments reads the documents of a file as nodes. What stands before a mistake
// in the syntax is given back with it.
func readDocuments(src []byte, fileName string) ([]*yaml.Node, Problems) {
	whole := func(message, hint string) Problems {
		return Problems{{File: fileName, Message: message, Hint: hint}}
	}
	if len(src) > MaxSize {
		return nil, whole(fmt.Sprintf("the file has %d bytes, more than the %d of a spec", len(src), MaxSize), "Is it the right file?")
	}
	var docs []*yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(src))
	for {
		var doc yaml.Node
		err := decoder.Decode(&doc)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return docs, Problems{syntaxProblem(err, src, fileName)}
		}
		if root := rootOf(&doc); root != nil {
			docs = append(docs, root)
		}
	}
	if len(docs) == 0 {
		return nil, whole("the file is empty", "Write a document with apiVersion: "+APIVersion+" and kind: "+Kind+".")
	}
	return docs, nil
}

// rootOf is a document's content, nil if it has none.
func rootOf(doc *yaml.Node) *yaml.Node {
	if doc.Kind != yaml.DocumentNode || len(doc.Content) == 0 {
		return nil
	}
	root := doc.Content[0]
	if isNull(root) && root.Value == "" {
		return nil
	}
	return root
}

// What the parser says, and where it says it.
var (
	yamlError     = regexp.MustCompile(`(?s)^yaml: (?:line (\d+): )?(.*)$`)
	unknownAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)
	control       = regexp.MustCompile(`[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]`)
)

// syntaxProblem places the parser's error, and looks for the usual reason: a
// template or variable without quotes opens a flow mapping.
func syntaxProblem(err error, src []byte, fileName string) Problem {
	p := Problem{File: fileName, Line: 1, Column: 1, Hint: "Check indentation, quotes and brackets there and in the lines before."}
	match := yamlError.FindStringSubmatch(err.Error())
	if match == nil {
		p.Message = "this is not YAML: " + err.Error()
		return p
	}
	p.Message = "this is not YAML: " + match[2]
	if n, err := strconv.Atoi(match[1]); err == nil {
		p.Line = n
		if strings.HasPrefix(match[2], "did not find expected") {
			p.Line++ // the parser counts its own errors from 0, its scanner's from 1
		}
	}
	if anchor := unknownAnchor.FindStringSubmatch(match[2]); anchor != nil {
		p.Message, p.Hint = fmt.Sprintf("`*%s` stands for nothing", anchor[1]), fmt.Sprintf("Mark the value it stands for with &%s, before it, or quote the text.", anchor[1])
		p.Line, p.Column = locate(src, "*"+anchor[1])
		return p
	}
	if strings.HasPrefix(match[2], "control characters") {
		p.Line, p.Column = locate(src, control.FindString(string(src)))
		p.Hint = "Remove it, or write it as an escape in double quotes."
		return p
	}
	lines := strings.Split(string(src), "\n")
	for n := max(p.Line-2, 1); n <= min(p.Line+1, len(lines)); n++ {
		if column, what := unquotedStart(lines[n-1]); column > 0 {
			p.Line, p.Column = n, column
			p.Message = fmt.Sprintf("unquoted `%s` is read as the start of a mapping", what)
			p.Hint = "Quote the whole value."
			break
		}
	}
	return p
}

// locate is the line and column, from 1, of the first such text.
func locate(src []byte, text string) (line, column int) {
	before := src[:max(bytes.Index(src, []byte(text)), 0)]
	return 1 + bytes.Count(before, []byte("\n")), 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
}

// unquotedStart is the column, from 1, of the first {{ or ${ outside of quotes.
func unquotedStart(line string) (column int, what string) {
	quote := rune(0)
	for i, r := range line {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case r == '"' || r == '\'':
			quote = r
		case strings.HasPrefix(line[i:], "{{"), strings.HasPrefix(line[i:], "${"):
			return 1 + utf8.RuneCountInString(line[:i]), line[i : i+2]
		}
	}
	return 0, ""
}

// resolved is a node, or what it is an alias of.
func resolved(n *yaml.Node) *yaml.Node {
	for range maxDepth {
		if n.Kind != yaml.AliasNode {
			break
		}
		n = n.Alias
	}
	return n
}

// isPlain reports a scalar without quotes, block style or tag.
func isPlain(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Style == 0 }

// isNull reports an absent value, null or ~.
func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}

// lookup is the value of a mapping's key, nil if it has none.
func lookup(mapping *yaml.Node, key string) *yaml.Node {
	if mapping == nil || mapping.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return resolved(mapping.Content[i+1])
		}
	}
	return nil
}
