package credentials

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

// maxDepth is the depth of YAML nodes in the format: document, map, list, entry, list, map, list, verifier.
const maxDepth = 9

// endMark is the last line of every credentials file, YAML's own end of a document: without it a file that was cut
// between two entries would read as a good one with fewer credentials.
const endMark = "..."

// decode reads a file and checks all of it.
func decode(name string, data []byte) (*File, error) {
	r := &reader{name: name}
	root := r.tree(data)
	if root == nil {
		return nil, r.problems
	}
	f := r.file(root)
	r.checkUnique(f)
	if len(r.problems) > 0 {
		return nil, r.sorted()
	}
	return f, nil
}

// tree parses YAML. nil: a problem says why there is none.
func (r *reader) tree(data []byte) *yaml.Node {
	switch {
	case len(data) > maxFile:
		r.fault(0, "", "more than 128 MiB")
		return nil
	case !utf8.Valid(data):
		r.fault(lineOfInvalid(data), "", "not UTF-8")
		return nil
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		r.fault(1, "save it as UTF-8 without one", "the file begins with a byte order mark")
		return nil
	}
	if text := bytes.TrimRight(data, "\r\n"); !bytes.HasSuffix(data, []byte("\n")) || !bytes.HasSuffix(text, []byte("\n"+endMark)) {
		r.fault(1+bytes.Count(data, []byte("\n")), "restore it; the last line of a whole file is "+endMark, "the file ends early")
		return nil
	}
	limits := loaderlimits.New(loaderlimits.DepthFunc(func(depth int, _ *loaderlimits.DepthContext) error {
		if depth > maxDepth {
			return errors.New("deeper than the format goes")
		}
		return nil
	}))
	loader, err := yaml.NewLoader(bytes.NewReader(data), yaml.WithPlugin(limits))
	if err != nil {
		r.fault(0, "", "not YAML: %v", err)
		return nil
	}
	var document, second yaml.Node
	if err := loader.Load(&document); err != nil {
		r.syntax(err)
		return nil
	}
	if err := loader.Load(&second); !errors.Is(err, io.EOF) {
		r.fault(second.Line, "", "a second YAML document")
		return nil
	}
	return document.Content[0]
}

// syntax reports an error of the YAML library, without the text it may quote.
func (r *reader) syntax(err error) {
	var load *yaml.LoadError
	switch {
	case errors.Is(err, io.EOF):
		r.fault(1, "it needs at least version: 1", "the file is empty")
	case errors.As(err, &load):
		r.fault(load.Mark.Line, "look at the indentation and quotes of this line and the one before", "not YAML: %s", load.Message)
	default:
		r.fault(0, "", "not YAML")
	}
}

func lineOfInvalid(data []byte) int {
	line := 1
	for _, text := range bytes.Split(data, []byte("\n")) {
		if !utf8.Valid(text) {
			break
		}
		line++
	}
	return line
}
