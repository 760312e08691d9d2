package asyncapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// jsonReader makes the tree that the YAML library would make, with the same positions.
type jsonReader struct {
	data    []byte
	decoder *json.Decoder
	cursor  int // everything before it is counted in line and column
	line    int
	column  int
}

// decodeJSON reads one JSON value. Input has to be valid UTF-8.
func decodeJSON(data []byte) (*yaml.Node, *unreadable) {
	r := &jsonReader{data: data, decoder: json.NewDecoder(bytes.NewReader(data)), line: 1, column: 1}
	r.decoder.UseNumber()
	root, err := r.value(0)
	if err != nil {
		return nil, r.fault(err)
	}
	if _, err := r.decoder.Token(); !errors.Is(err, io.EOF) {
		r.next()
		return nil, &unreadable{code: "document/syntax", line: r.line, column: r.column,
			message: "not JSON: something follows the end of the document"}
	}
	return root, nil
}

// next moves to where the next token starts.
func (r *jsonReader) next() {
	at := int(r.decoder.InputOffset())
	for at < len(r.data) && bytes.IndexByte([]byte(" \t\r\n,:"), r.data[at]) >= 0 {
		at++
	}
	r.moveTo(at)
}

func (r *jsonReader) moveTo(at int) {
	passed := r.data[r.cursor:at]
	if i := bytes.LastIndexByte(passed, '\n'); i >= 0 {
		r.line += bytes.Count(passed, []byte("\n"))
		r.column = 1
		passed = passed[i+1:]
	}
	r.column += utf8.RuneCount(passed)
	r.cursor = at
}

func (r *jsonReader) value(depth int) (*yaml.Node, error) {
	if depth > maxDepth {
		return nil, errTooDeep
	}
	r.next()
	node := &yaml.Node{Kind: yaml.ScalarNode, Line: r.line, Column: r.column}
	token, err := r.decoder.Token()
	if err != nil {
		return nil, err
	}
	switch t := token.(type) {
	case string:
		node.Tag, node.Value, node.Style = "!!str", t, yaml.DoubleQuotedStyle
	case json.Number:
		node.Tag, node.Value = "!!float", t.String()
		if _, err := t.Int64(); err == nil {
			node.Tag = "!!int"
		}
	case bool:
		node.Tag, node.Value = "!!bool", map[bool]string{true: "true", false: "false"}[t]
	case nil:
		node.Tag, node.Value = "!!null", "null"
	case json.Delim:
		node.Kind, node.Tag, node.Style = yaml.SequenceNode, "!!seq", yaml.FlowStyle
		if t == '{' {
			node.Kind, node.Tag = yaml.MappingNode, "!!map"
		}
		return node, r.content(node, depth+1)
	}
	return node, nil
}

// content reads up to the closing bracket. In an object keys are values like any other: the decoder itself refuses
// those that are no strings.
func (r *jsonReader) content(node *yaml.Node, depth int) error {
	for r.decoder.More() {
		child, err := r.value(depth)
		if err != nil {
			return err
		}
		node.Content = append(node.Content, child)
	}
	_, err := r.decoder.Token()
	return err
}

func (r *jsonReader) fault(err error) *unreadable {
	if errors.Is(err, errTooDeep) {
		return &unreadable{code: "document/too-deep", line: r.line, column: r.column, message: "the document is " + err.Error()}
	}
	at := int(r.decoder.InputOffset())
	if bad := (*json.SyntaxError)(nil); errors.As(err, &bad) {
		at = max(at, int(bad.Offset)-1)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		at, err = len(r.data), errors.New("it ends in the middle")
	}
	r.moveTo(max(r.cursor, min(at, len(r.data))))
	return &unreadable{code: "document/syntax", line: r.line, column: r.column, message: "not JSON: " + err.Error(),
		hint: "look at the commas, quotes and brackets here and just before"}
}
