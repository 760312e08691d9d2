package asyncapi

import (
	"errors"
	"fmt"

	"go.yaml.in/yaml/v4"
)

// Files opens what references name. It is asked by one goroutine at a time.
type Files interface {
	// Name is what the file is called that a reference in the file from means; the same file always the same. The
	// reference is as it stands in the document (RFC 3986, percent-encoded), without its fragment, and not empty.
	Name(from, reference string) (string, error)
	// Read is the content of a file that Name named. It need not read more than limit bytes and one.
	Read(name string, limit int) ([]byte, error)
}

// Refused is the error of Files for what they do not open whether it is there or not.
type Refused struct {
	Reason string // completes "reference … is not followed: "
	Hint   string
}

func (e *Refused) Error() string { return e.Reason }

// Bounds that all references of a document share. The largest of the public documents that are split has 9 files.
const (
	maxFiles      = 200
	maxTotalBytes = 8 << 20
)

// file is one that a reference named.
type file struct {
	data   []byte
	err    error // why it could not be read
	parsed bool
	root   value // not there: it is no YAML or JSON, which has been reported
}

// open reads the file that a reference names, once. What cannot be read is reported at each reference to it.
func (r *reader) open(ref Text, target string) (string, *file, bool) {
	if r.from == nil {
		if !r.unneeded {
			r.fault("document/external-reference", ref.Place, "bundle the files into one document first",
				"reference %s leads out of the file, which is not supported here", quote(ref.Value))
		}
		return "", nil, false
	}
	name, err := r.from.Name(ref.File, target)
	if err != nil {
		r.unread(ref, err)
		return "", nil, false
	}
	f := r.files[name]
	if f == nil {
		f = &file{}
		r.files[name] = f
		r.names = append(r.names, name)
		f.data, f.err = r.readFile(name)
	}
	if f.err != nil {
		r.unread(ref, f.err)
		return "", nil, false
	}
	return name, f, true
}

func (r *reader) readFile(name string) ([]byte, error) {
	if len(r.names) > maxFiles {
		return nil, &Refused{fmt.Sprintf("the document has more than %d files", maxFiles), "bundle them into fewer"}
	}
	left := maxTotalBytes - r.bytes
	data, err := r.from.Read(name, left)
	if err == nil && len(data) > left {
		r.bytes = maxTotalBytes // the next one is not read in vain
		err = &Refused{fmt.Sprintf("the files of the document have more than %d MiB together", maxTotalBytes>>20), "leave payload schemas out"}
	}
	if err != nil {
		return nil, err
	}
	r.bytes += len(data)
	return data, nil
}

// unread reports a reference to a file that was not read. A refusal is no fault of the document: it is valid AsyncAPI
// that is not followed. Messages and their schemas are not needed to enforce it.
func (r *reader) unread(ref Text, err error) {
	refused := (*Refused)(nil)
	switch {
	case !errors.As(err, &refused):
		r.fault("document/unresolved-reference", ref.Place, "", "reference %s cannot be read: %v", quote(ref.Value), err)
	case r.unneeded:
		r.report(Note, "security/reference-refused", ref.Place, "", "reference %s is not followed, and not needed: %s", quote(ref.Value), refused.Reason)
	default:
		r.faults++
		r.report(Error, "security/reference-refused", ref.Place, refused.Hint, "reference %s is not followed: %s", quote(ref.Value), refused.Reason)
	}
}

// parse makes the tree of a file when something of it is needed.
func (r *reader) parse(name string, f *file) (value, bool) {
	if f.parsed {
		return f.root, f.root.there()
	}
	f.parsed = true
	server := r.server // what is wrong with the file concerns every server that uses it
	r.server = nil
	defer func() { r.server = server }()
	root, bad := decode(name, f.data)
	if bad != nil {
		at := Place{File: name, Line: bad.line, Column: bad.column}
		r.fault(bad.code, at, bad.hint, "%s", bad.message)
		return value{}, false
	}
	top := r.top(name, root)
	if !r.sound(top) {
		return value{}, false
	}
	f.root = top
	return f.root, true
}

// top is the root of a file with its place.
func (r *reader) top(name string, root *yaml.Node) value {
	root = follow(root)
	return value{node: root, at: Place{File: name, Line: root.Line, Column: root.Column}}
}
