// Package asyncapi reads AsyncAPI documents of the versions 2.0 to 2.6, 3.0 and 3.1, in YAML or JSON, into a typed model
// of what they say, payloads aside. Everything in it remembers its line, column and JSON pointer.
//
// [Read] is the way in. It never gives up at the first fault: what can be read is in the [Document], and every fault is
// a [Problem] with its place and what to do about it. Nothing that cannot be understood is dropped in silence: a
// security requirement that is broken stays in the model, marked as such.
//
// Documents may be hostile. Size, depth, aliases and references are bounded. The package does no I/O: files that references
// name are read by the [Files] that the caller gives to [ReadFrom].
package asyncapi

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/asyncgate/asyncgate/internal/spelling"
)

// Read reads a document that is one file. The name is for messages, and its ending .json asks for strict JSON. The
// document is nil if there is nothing to say about it beyond the problems: it is unreadable, or of another version.
func Read(name string, data []byte) (*Document, []Problem) { return ReadFrom(name, data, nil) }

// ReadFrom reads a document and the files that its references name. With nil files a reference out of the document is an
// error.
func ReadFrom(name string, data []byte, from Files) (doc *Document, problems []Problem) {
	r := &reader{
		from: from, seen: map[Problem]bool{}, told: map[bool]int{}, files: map[string]*file{}, walked: map[*yaml.Node]progress{}, cyclic: map[*yaml.Node]Text{},
		merged: map[*yaml.Node]map[string]field{}, messages: map[*yaml.Node]*Message{},
		channelNodes: map[*yaml.Node]int{}, channelPointers: map[string]int{}, indexes: map[*yaml.Node]*index{},
	}
	defer func() {
		switch stop := recover().(type) {
		case nil:
		case tooLarge:
			r.server = nil
			r.fault("document/too-large", stop.at, "use fewer aliases and references",
				"the document stands for too many values to be looked at")
			doc = nil
		default:
			panic(stop)
		}
		problems = r.problems
	}()
	root, bad := decode(name, data)
	if bad != nil {
		r.fault(bad.code, Place{File: name, Line: bad.line, Column: bad.column}, bad.hint, "%s", bad.message)
		return nil, nil
	}
	r.root = r.top(name, root)
	r.files[name] = &file{data: data, parsed: true, root: r.root}
	if !r.root.isObject() {
		r.fault("document/wrong-type", r.root.at, "", "an AsyncAPI document is an object, not %s", r.root.kind())
		return nil, nil
	}
	if !r.sound(r.root) {
		return nil, nil
	}
	doc = &Document{File: name, reader: r, root: r.root, files: r.files}
	if !r.version(doc) {
		return nil, nil
	}
	r.major, r.minor = doc.Major, doc.Minor
	doc.Info = r.info()
	doc.Title = doc.Info.Title.Value
	doc.Schemes = r.componentSchemes()
	doc.Servers = r.servers(r.get(r.root, "servers"))
	doc.Channels = r.channels(r.get(r.root, "channels"), true)
	doc.Operations = r.operations(doc.Channels)
	doc.Components = r.components(doc.Channels)
	r.allReferences()
	doc.Files = r.names
	return doc, nil
}

// reader is one document being read.
type reader struct {
	root         value
	major, minor int
	visits       int
	nodes        int // of all files
	indexes      map[*yaml.Node]*index

	from     Files
	files    map[string]*file
	names    []string // of the files that references named, in the order they were met
	bytes    int      // of those
	unneeded bool     // what is being read is of no account for what is enforced: a message
	walked   map[*yaml.Node]progress
	later    []later
	cyclic   map[*yaml.Node]Text // of references that lead into a circle, the one of which it has been said

	merged          map[*yaml.Node]map[string]field // members of objects that stand nowhere: those with traits
	messages        map[*yaml.Node]*Message         // that have been read
	rootServers     value                           // the document's servers
	channelNodes    map[*yaml.Node]int              // the document's channels, by what describes them,
	channelPointers map[string]int                  // and by where they stand

	server   *Server             // the one being read, if any
	muted    bool                // what is looked at was looked at before
	above    map[*yaml.Node]bool // what the node being inspected is in
	endless  bool                // an alias stands within what it stands for
	faults   int                 // errors met, also those that were reported before
	problems []Problem
	seen     map[Problem]bool
	through  int          // references that the pointer being followed has passed
	told     map[bool]int // how many errors, and how many others
}

const supported = "2.0.0 to 2.6.0, 3.0.0 and 3.1.0"

var versionForm = regexp.MustCompile(`^(2\.[0-6]|3\.[01])\.0$`)

// patch matches a version with a patch number, or with none.
var patch = regexp.MustCompile(`^(\d+\.\d+)(\.\d+)?$`)

// version reads the field asyncapi: one of the released versions. There were no others, so another one is a slip.
func (r *reader) version(doc *Document) bool {
	v := r.get(r.root, "asyncapi")
	switch {
	case !v.there() && r.tellMisspelt(r.root, "the document", "asyncapi"):
		return false
	case !v.there():
		hint := "begin it with asyncapi: 3.0.0"
		if r.get(r.root, "openapi").there() || r.get(r.root, "swagger").there() {
			hint = "this is an OpenAPI document"
		}
		r.fault("document/missing-field", r.root.at, hint, "the document has no field asyncapi, so it is no AsyncAPI document")
		return false
	case !v.isString():
		hint := "the supported versions are " + supported
		if v.node.Kind == yaml.ScalarNode {
			if full := v.node.Value + ".0"; versionForm.MatchString(full) {
				hint = "write asyncapi: " + full
			}
		}
		r.fault("document/unsupported-version", v.at, hint, "asyncapi has to be a version such as 3.0.0, not %s", v.kind())
		return false
	case !versionForm.MatchString(v.node.Value):
		hint := "the supported versions are " + supported
		if released := patch.ReplaceAllString(v.node.Value, "$1.0"); versionForm.MatchString(released) {
			hint = "write asyncapi: " + released
		}
		r.fault("document/unsupported-version", v.at, hint, "AsyncAPI %s is not supported", quote(v.node.Value))
		return false
	}
	doc.Version = v.node.Value
	major, rest, _ := strings.Cut(doc.Version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	doc.Major, _ = strconv.Atoi(major) // the form has been checked
	doc.Minor, _ = strconv.Atoi(minor)
	return true
}

// since reports whether the document's version is at least 2.minor.
func (r *reader) since(minor int) bool { return r.major > 2 || r.minor >= minor }

// extension reports whether a field is a specification extension, which may stand anywhere.
func extension(key string) bool { return strings.HasPrefix(key, "x-") }

// known reports members of an object that the specification does not have.
func (r *reader) known(v value, what string, names ...string) {
	for _, f := range r.fields(v) {
		if extension(f.key) || contains(names, f.key) {
			continue
		}
		hint := "remove it, or begin its name with x-"
		if near := spelling.Nearest(f.key, names); near != "" {
			hint = fmt.Sprintf("did you mean %s?", near)
		}
		r.fault("document/unknown-field", f.keyAt, hint, "%s has no field %s", what, quote(f.key))
	}
}
