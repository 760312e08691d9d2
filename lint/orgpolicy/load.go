package orgpolicy

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/asyncgate/asyncgate/docs/problems"
	"github.com/asyncgate/asyncgate/internal/yamlnode"
	"github.com/asyncgate/asyncgate/plan"
)

// Bounds of a policy file: every rule there is fits a hundred times.
const (
	maxBytes = 256 << 10
	maxDepth = 16
)

// Load reads a policy file. The policy is never nil: with problems it holds what could be read.
func Load(path string) *Policy {
	f, err := os.Open(path)
	if err != nil {
		return unreadable(path, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return unreadable(path, err)
	}
	return Parse(path, data)
}

func unreadable(path string, err error) *Policy {
	if p := (*os.PathError)(nil); errors.As(err, &p) {
		err = p.Err
	}
	return &Policy{Problems: []plan.Problem{{
		Severity: plan.Error, Code: "policy/syntax", File: path, Message: "cannot be read: " + err.Error(),
	}}}
}

// Parse reads a policy from memory. The name is for messages.
func Parse(name string, data []byte) *Policy {
	r := &reader{file: name, places: map[string]place{}, keys: map[string]place{}}
	root := r.decode(data)
	if root == nil {
		return &Policy{Problems: r.problems}
	}
	value := r.value(root, "", place{root.Line, root.Column})
	if len(r.problems) == 0 {
		r.validate(value)
	}
	p := &Policy{rules: map[string]string{}}
	r.rules(p, value)
	r.require(p, value)
	slices.SortStableFunc(r.problems, func(a, b plan.Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	p.Problems = r.problems
	return p
}

// reader is one policy file being read.
type reader struct {
	file     string
	places   map[string]place // of values, by JSON pointer; of the key where the value is an object or a list
	keys     map[string]place // of keys, by the pointer of what they name
	problems []plan.Problem
}

type place struct{ line, column int }

func (r *reader) fault(code string, at place, pointer, hint, format string, args ...any) {
	r.problems = append(r.problems, plan.Problem{
		Severity: plan.Error, Code: code, File: r.file, Line: at.line, Column: at.column, Pointer: pointer,
		Message: fmt.Sprintf(format, args...), Hint: hint,
	})
}

// decode turns bytes into a tree; nil if there is none. An empty file asks for nothing, and is allowed.
func (r *reader) decode(data []byte) *yaml.Node {
	if len(data) > maxBytes {
		r.fault("policy/syntax", place{}, "", "", "the policy has more than 256 KiB")
		return nil
	}
	root, bad := yamlnode.One(data, maxDepth)
	if bad != nil {
		r.fault("policy/syntax", place{bad.Line, bad.Column}, "", bad.Hint, "%s", bad.Message)
	}
	return root
}

// value is a node as the values of JSON, for the schema. Where everything stands is kept.
func (r *reader) value(n *yaml.Node, pointer string, at place) any {
	r.places[pointer] = at
	switch n.Kind {
	case yaml.MappingNode:
		object := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, val := n.Content[i], n.Content[i+1]
			child := pointer + "/" + escape.Replace(key.Value)
			if _, twice := object[key.Value]; twice {
				r.fault("policy/syntax", place{key.Line, key.Column}, child, "remove one of the two", "key %q stands here twice", key.Value)
			}
			where := place{key.Line, key.Column}
			r.keys[child] = where
			if val.Kind == yaml.ScalarNode {
				where = place{val.Line, val.Column}
			}
			object[key.Value] = r.value(val, child, where)
		}
		return object
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, item := range n.Content {
			list[i] = r.value(item, pointer+"/"+strconv.Itoa(i), place{item.Line, item.Column})
		}
		return list
	case yaml.AliasNode:
		r.fault("policy/syntax", at, pointer, "write the value out", "aliases are not supported in a policy")
		return nil
	}
	var scalar any
	if err := n.Load(&scalar); err != nil {
		r.fault("policy/syntax", at, pointer, "", "not YAML: %v", err)
	}
	if whole, ok := scalar.(int); ok {
		return float64(whole)
	}
	return scalar
}

// rules takes over the severities, those that are none of this policy's business left out.
func (r *reader) rules(p *Policy, value any) {
	object, _ := value.(map[string]any)
	stated, _ := object["rules"].(map[string]any)
	for _, code := range slices.Sorted(maps.Keys(stated)) {
		word, _ := stated[code].(string)
		if !slices.Contains([]string{off, string(plan.Note), string(plan.Warning), string(plan.Error)}, word) {
			continue // the schema has said so
		}
		pointer := "/rules/" + escape.Replace(code)
		page, known := problems.Find(code)
		switch {
		case !known:
			r.fault("policy/unknown-rule", r.keys[pointer], pointer, "asyncgate check --rules lists all", "there is no problem with the code %q", code)
		case Fixed(page) && word != string(plan.Error):
			why := "the gateway does not start with it, whatever a policy says"
			if strings.HasPrefix(code, "policy/") {
				why = "a policy that is not understood would ask for nothing"
			}
			r.fault("policy/fixed-rule", r.keys[pointer], pointer, "remove the line, and repair what it is about", "%s cannot be lowered: %s", code, why)
		default:
			p.rules[code] = word
		}
	}
}

// require takes over the demands. What has the wrong type the schema has reported; the rest counts all the same.
func (r *reader) require(p *Policy, value any) {
	object, _ := value.(map[string]any)
	text, err := json.Marshal(object["require"])
	if err != nil {
		return // values of YAML that JSON does not have: reported as well
	}
	_ = json.Unmarshal(text, &p.require)
	if p.require.ScopeNames == "" {
		return
	}
	form, err := regexp.Compile(`^(?:` + p.require.ScopeNames + `)$`)
	if err != nil {
		const pointer = "/require/scopeNames"
		r.fault("policy/invalid-value", r.places[pointer], pointer, "the syntax is that of RE2, without look-ahead and back references",
			"scopeNames is no regular expression")
		return
	}
	p.require.scopeNames = form
}
