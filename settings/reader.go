package settings

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/asyncgate/asyncgate/internal/spelling"
	"github.com/asyncgate/asyncgate/plan"
)

// reader is one settings file being read.
type reader struct {
	file, dir string
	visits    int
	problems  []plan.Problem
	objects   map[string][]string // keys of every kind of object met; only the test of the schema asks for it
}

// tooMany ends reading from wherever it is; Parse catches it.
type tooMany struct{ at At }

// node is a value of the file and where it stands: an object or a list where its key does.
type node struct {
	*yaml.Node
	at At
}

// keys says how each member of an object is read.
type keys map[string]func(node)

func (r *reader) fault(at At, code, hint, format string, args ...any) {
	if len(r.problems) >= maxProblems {
		return
	}
	r.problems = append(r.problems, plan.Problem{
		Severity: plan.Error, Code: code, File: r.file, Line: at.Line, Column: at.Column, Pointer: at.Pointer,
		Message: fmt.Sprintf(format, args...), Hint: hint,
	})
}

func (r *reader) wrongType(n node, want, hint string) {
	r.fault(n.at, "settings/wrong-type", hint, "%s has to be %s, not %s", name(n.at), want, n.kind())
}

// name is the key of a value, or "item 0 of admins", for messages.
func name(at At) string {
	if at.Pointer == "" {
		return "the settings file"
	}
	cut := strings.LastIndexByte(at.Pointer, '/')
	key := unescape.Replace(at.Pointer[cut+1:])
	if _, err := strconv.Atoi(key); err == nil && cut > 0 {
		return "item " + key + " of " + name(At{Pointer: at.Pointer[:cut]})
	}
	return strings.Trim(strconv.Quote(key), `"`)
}

var (
	escape   = strings.NewReplacer("~", "~0", "/", "~1")
	unescape = strings.NewReplacer("~1", "/", "~0", "~")
)

func follow(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// kind names what a value is. It never shows the value: it could be a secret in the wrong place.
func (n node) kind() string {
	switch n.Kind {
	case yaml.MappingNode:
		return "an object"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.Tag {
	case "!!null":
		return "empty"
	case "!!bool":
		return "a boolean"
	case "!!int", "!!float":
		return "a number"
	case "!!str":
		return "a string"
	}
	return "a value of another type"
}

func (r *reader) visit(at At) {
	if r.visits++; r.visits > maxVisits {
		panic(tooMany{at})
	}
}

// members calls each for the members of an object; a key that stands twice is a fault.
func (r *reader) members(n node, each func(key string, keyAt At, val node)) bool {
	if n.Kind != yaml.MappingNode {
		r.wrongType(n, "an object", "")
		return false
	}
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, val := follow(n.Content[i]), follow(n.Content[i+1])
		at := At{key.Line, key.Column, n.at.Pointer + "/" + escape.Replace(key.Value)}
		r.visit(at)
		if line, twice := first[key.Value]; twice {
			r.fault(at, "settings/duplicate-key", "remove one of the two", "key %q stands here twice, first on line %d", key.Value, line)
			continue
		}
		first[key.Value] = key.Line
		place := at
		if val.Kind == yaml.ScalarNode {
			place.Line, place.Column = val.Line, val.Column
		}
		each(key.Value, at, node{val, place})
	}
	return true
}

// object reads an object with known keys. What names the kind of object.
func (r *reader) object(n node, what string, known keys) bool {
	names := slices.Sorted(maps.Keys(known))
	if r.objects != nil {
		r.objects[what] = names
	}
	return r.members(n, func(key string, keyAt At, val node) {
		if read := known[key]; read != nil {
			read(val)
			return
		}
		if key == "<<" {
			r.fault(keyAt, "settings/unknown-key", "give the shared part an anchor and use *alias as a value", "merge keys are not supported")
			return
		}
		hint := "known here: " + strings.Join(names, ", ")
		if near := spelling.Nearest(key, names); near != "" {
			hint = "did you mean " + near + "?"
		}
		r.fault(keyAt, "settings/unknown-key", hint, "%s has no key %q", what, key)
	})
}

// items calls each for the items of a list.
func (r *reader) items(n node, want string, each func(node)) bool {
	if n.Kind != yaml.SequenceNode {
		r.wrongType(n, want, "")
		return false
	}
	for i, item := range n.Content {
		item = follow(item)
		at := At{item.Line, item.Column, n.at.Pointer + "/" + strconv.Itoa(i)}
		r.visit(at)
		each(node{item, at})
	}
	return true
}
