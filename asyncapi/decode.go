package asyncapi

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

// Bounds of what is read. The largest of 830 public documents has 36 KB. Four MiB of nothing but list items take about a
// second; every real document of that size is far cheaper.
const (
	maxBytes = 4 << 20
	maxDepth = 256
)

// unreadable is a document of which there is no tree.
type unreadable struct {
	code, hint, message string
	line, column        int
}

// decode turns bytes into a tree. JSON has a reader of its own, because YAML refuses some of it (surrogate pairs) and
// takes more than it (trailing commas).
func decode(name string, data []byte) (*yaml.Node, *unreadable) {
	if len(data) > maxBytes {
		return nil, &unreadable{code: "document/too-large", message: "the document has more than 4 MiB",
			hint: "split payload schemas off: only servers and security matter here"}
	}
	text := bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("{")) && utf8.Valid(text) {
		root, bad := decodeJSON(text)
		if bad == nil || bad.code != "document/syntax" || strings.HasSuffix(strings.ToLower(name), ".json") {
			return root, bad
		}
		// YAML in braces.
	}
	return decodeYAML(data)
}

func decodeYAML(data []byte) (*yaml.Node, *unreadable) {
	limits := loaderlimits.New(loaderlimits.DepthFunc(func(depth int, _ *loaderlimits.DepthContext) error {
		if depth > maxDepth {
			return errTooDeep
		}
		return nil
	}))
	loader, err := yaml.NewLoader(bytes.NewReader(data), yaml.WithPlugin(limits))
	if err != nil {
		return nil, syntax(err)
	}
	var document yaml.Node
	switch err := loader.Load(&document); {
	case errors.Is(err, io.EOF):
		return nil, &unreadable{code: "document/empty", message: "the document is empty"}
	case err != nil:
		return nil, syntax(err)
	}
	var second yaml.Node
	switch err := loader.Load(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		return nil, syntax(err)
	default:
		return nil, &unreadable{code: "document/several-documents", line: second.Line, column: second.Column,
			message: "a second YAML document begins here", hint: "keep one document in a file"}
	}
	return document.Content[0], nil
}

var errTooDeep = errors.New("more than 256 levels deep")

// syntax explains an error of the YAML library.
func syntax(err error) *unreadable {
	bad := &unreadable{code: "document/syntax", message: "not YAML: " + err.Error(),
		hint: "look at the indentation and quotes of this line and the one before"}
	var load *yaml.LoadError
	if !errors.As(err, &load) {
		return bad
	}
	bad.line, bad.column, bad.message = load.Mark.Line, load.Mark.Column, "not YAML: "+load.Message
	if load.ContextMsg != "" {
		bad.message += ", " + load.ContextMsg
	}
	switch {
	case strings.Contains(load.Message, errTooDeep.Error()):
		bad.code, bad.message, bad.hint = "document/too-deep", "the document is "+errTooDeep.Error(), ""
	case load.Stage == yaml.ReaderStage:
		bad.hint = "the file has to be text in UTF-8"
	case strings.Contains(load.Message, "mapping values are not allowed"):
		bad.hint = "put text with a colon in it in quotes, and look at the indentation of this line and the one before"
	case strings.Contains(load.Message, "cannot start any token"):
		bad.hint = "indent with spaces, never with tabs, and put text that begins with @, ` or % in quotes"
	}
	return bad
}

// sound inspects a tree, and reports whether it has an end: an alias may stand within what it stands for.
func (r *reader) sound(root value) bool {
	r.above, r.endless = map[*yaml.Node]bool{}, false
	r.inspect(root)
	return !r.endless
}

// inspect walks a tree once, without following aliases, and reports what YAML lets pass and AsyncAPI does not.
func (r *reader) inspect(v value) {
	n := v.node
	r.nodes++
	r.above[n] = true
	defer delete(r.above, n)
	switch n.Kind {
	case yaml.AliasNode:
		if r.above[n.Alias] {
			r.endless = true
			r.fault("document/reference-cycle", v.at, "write out what is meant", "alias *%s stands within what it stands for", n.Value)
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			r.inspect(value{node: item, at: Place{v.at.File, item.Line, item.Column, element(v.at.Pointer, i)}})
		}
	case yaml.MappingNode:
		first := make(map[string]int, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			r.inspectMember(v, n.Content[i], n.Content[i+1], first)
		}
	}
	if !knownTags[n.Tag] {
		r.fault("document/unknown-tag", v.at, "JSON has no such type: leave the tag out", "unknown YAML tag %s", quote(n.Tag))
	}
}

func (r *reader) inspectMember(v value, key, val *yaml.Node, first map[string]int) {
	at := Place{File: v.at.File, Line: key.Line, Column: key.Column, Pointer: v.at.Pointer}
	name := follow(key)
	if name.Kind != yaml.ScalarNode {
		r.fault("document/wrong-type", at, "", "a key has to be a string")
		return
	}
	at.Pointer = member(v.at.Pointer, name.Value)
	if line, twice := first[name.Value]; twice && name.Tag != "!!merge" {
		r.fault("document/duplicate-key", at, "remove one of the two", "key %s stands here twice, first on line %d",
			quote(name.Value), line)
	} else {
		first[name.Value] = key.Line
	}
	r.inspect(value{node: val, at: r.field(v, name, val).at})
}

// knownTags are the types of JSON, and what YAML resolves by itself. An alias has no tag.
var knownTags = map[string]bool{
	"": true, "!!map": true, "!!seq": true, "!!str": true, "!!int": true, "!!float": true, "!!bool": true, "!!null": true,
	"!!timestamp": true, "!!merge": true, "!!binary": true,
}
