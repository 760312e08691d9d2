package asyncapi

import (
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// maxAliased bounds how many values aliases may add to a document: a few lines can stand for billions.
const maxAliased = 50_000

// converter turns nodes into the values that JSON Schema is about. A node becomes one value, however many aliases and
// references lead to it.
type converter struct {
	done map[*yaml.Node]converted
	open map[*yaml.Node]bool
	from map[uintptr]origin // of objects
}

// origin is what an object was made of.
type origin struct {
	node *yaml.Node
	file string
}

type converted struct {
	value any
	here  int // values written down in it
	all   int // values it stands for
}

func newConverter() *converter {
	return &converter{done: map[*yaml.Node]converted{}, open: map[*yaml.Node]bool{}, from: map[uintptr]origin{}}
}

// value is what a node stands for.
func (c *converter) value(n *yaml.Node, file string) any { return c.convert(n, file).value }

func (c *converter) convert(n *yaml.Node, file string) converted {
	if n.Kind == yaml.AliasNode {
		target := c.convert(n.Alias, file)
		return converted{value: target.value, here: 1, all: target.all}
	}
	if n.Kind == yaml.ScalarNode {
		return converted{value: scalar(n), here: 1, all: 1}
	}
	if known, ok := c.done[n]; ok {
		return known
	}
	if c.open[n] { // an alias within what it stands for
		panic(tooLarge{Place{File: file, Line: n.Line, Column: n.Column}})
	}
	c.open[n] = true
	made := converted{here: 1, all: 1}
	if n.Kind == yaml.MappingNode {
		object := make(map[string]any, len(n.Content)/2)
		c.members(n, file, object, &made)
		c.from[identity(object)] = origin{n, file}
		made.value = object
	} else {
		list := make([]any, len(n.Content))
		for i, item := range n.Content {
			one := c.convert(item, file)
			list[i] = one.value
			made.add(one)
		}
		made.value = list
	}
	delete(c.open, n)
	if made.all-made.here > maxAliased {
		panic(tooLarge{Place{File: file, Line: n.Line, Column: n.Column}})
	}
	c.done[n] = made
	return made
}

func (c *converted) add(part converted) {
	c.here += part.here
	c.all += part.all
}

// members are those of an object itself, then those it merges.
func (c *converter) members(n *yaml.Node, file string, object map[string]any, made *converted) {
	var merged []converted
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, one := follow(n.Content[i]), c.convert(n.Content[i+1], file)
		made.add(one)
		if key.Tag == "!!merge" {
			merged = append(merged, one)
		} else if _, have := object[key.Value]; !have {
			object[key.Value] = one.value
		}
	}
	for _, m := range merged {
		list, ok := m.value.([]any)
		if !ok {
			list = []any{m.value}
		}
		for _, from := range list {
			other, _ := from.(map[string]any)
			for key, value := range other {
				if _, have := object[key]; !have {
					object[key] = value
				}
			}
		}
	}
}

// object is what an object was made of.
func (c *converter) object(v map[string]any) origin { return c.from[identity(v)] }

func identity(v map[string]any) uintptr { return reflect.ValueOf(v).Pointer() }

// scalar is a string, boolean, null or number. What JSON has no number for (.inf, .nan) stays a string.
func scalar(n *yaml.Node) any {
	switch n.Tag {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int":
		if len(n.Value) <= maxDigits {
			if i, err := strconv.ParseInt(strings.TrimPrefix(n.Value, "+"), 0, 64); err == nil {
				return json.Number(strconv.FormatInt(i, 10))
			}
		}
		return float(n)
	case "!!float":
		return float(n)
	}
	return n.Value
}

// maxDigits bounds numbers that are taken exactly. Longer ones, and those with an exponent, are rounded: 1e999999999 would
// have a billion digits.
const maxDigits = 40

func float(n *yaml.Node) any {
	var f float64
	if f, err := strconv.ParseFloat(n.Value, 64); err == nil && !math.IsInf(f, 0) && !math.IsNaN(f) {
		return f
	}
	if err := n.Decode(&f); err == nil && !math.IsInf(f, 0) && !math.IsNaN(f) {
		return f
	}
	return n.Value
}
