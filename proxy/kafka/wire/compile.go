package wire

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// definition is a message as messages.txt has it, for all of its versions.
type definition struct {
	Flexible versions          `json:"flexibleVersions"`
	Fields   []fieldDefinition `json:"fields"`
	Structs  []fieldDefinition `json:"commonStructs"`
}

type fieldDefinition struct {
	Name     string            `json:"name"`
	Type     string            `json:"type"`
	Versions versions          `json:"versions"`
	Nullable versions          `json:"nullableVersions"`
	Tag      int32             `json:"tag"`
	Tagged   versions          `json:"taggedVersions"`
	Default  json.RawMessage   `json:"default"`
	Fields   []fieldDefinition `json:"fields"`
}

// versions is a range as Kafka writes it: "3", "3-7", "3+" or "none". The zero value holds no version.
type versions struct {
	lo, hi int16
	some   bool
}

// UnmarshalText reads a range.
func (v *versions) UnmarshalText(text []byte) error {
	s := string(text)
	if s == "none" || s == "" {
		*v = versions{}
		return nil
	}
	from, to, ranged := strings.Cut(s, "-")
	if open, ok := strings.CutSuffix(s, "+"); ok {
		from, to, ranged = open, "32767", true
	}
	if !ranged {
		to = from
	}
	lo, err := strconv.ParseInt(from, 10, 16)
	if err != nil {
		return err
	}
	hi, err := strconv.ParseInt(to, 10, 16)
	*v = versions{int16(lo), int16(hi), true}
	return err
}

func (v versions) has(n int16) bool { return v.some && n >= v.lo && n <= v.hi }

// Kind is the type of a field.
type Kind uint8

// The kinds of the protocol (https://kafka.apache.org/protocol#protocol_types). Records are bytes that the protocol
// itself leaves alone.
const (
	Bool Kind = iota
	Int8
	Int16
	Uint16
	Int32
	Uint32
	Int64
	Float64
	UUID
	String
	Bytes
	Records
	Array
	Structure
)

var kinds = map[string]Kind{
	"bool": Bool, "int8": Int8, "int16": Int16, "uint16": Uint16, "int32": Int32, "uint32": Uint32, "int64": Int64,
	"float64": Float64, "uuid": UUID, "string": String, "bytes": Bytes, "records": Records,
}

// sizes are the bytes of the kinds of fixed size; the others are 0.
var sizes = [...]int{
	Bool: 1, Int8: 1, Int16: 2, Uint16: 2, Int32: 4, Uint32: 4, Int64: 8, Float64: 8, UUID: 16,
	Structure: 0,
}

// Struct is the structure of one message, or of a part of one, in one version. It never changes.
type Struct struct {
	Flexible bool    // compact lengths and tagged fields (KIP-482)
	Fields   []Field // in the order of the bytes
	Tagged   []Field // by ascending tag

	foreign []int32 // tags that only other versions define: Kafka refuses them, and kmsg reads them all the same

	least int // fewest bytes it can take
	fixed int // bytes it always takes; 0 if they vary
	heap  int // bytes that kmsg's struct of it takes, about
}

// Field is one field of a [Struct]. It never changes.
type Field struct {
	Name     string // as Kafka's definition spells it
	Path     string // names from the top, joined by dots; the elements of an array share its path
	Kind     Kind
	Nullable bool
	Tag      int32   // -1 if it is not a tagged field
	Default  string  // as the definition has it: "", "-1", "0x7fffffff", "null", "true", …
	Elem     *Field  // of an Array
	Struct   *Struct // of a Structure

	flexible bool
	size     int // bytes it always takes; 0 if they vary
	least    int // fewest bytes it can take

	// From this field on, the bytes of the fields of fixed size that follow each other, and the index after them.
	run, next int
}

// compile makes the structure of one version.
func compile(d *definition, version int16) *Struct {
	c := compiler{version: version, flexible: d.Flexible.has(version), common: map[string][]fieldDefinition{}}
	for _, s := range d.Structs {
		c.common[s.Name] = s.Fields
	}
	return c.structure(d.Fields, "")
}

type compiler struct {
	version  int16
	flexible bool
	common   map[string][]fieldDefinition
}

func (c *compiler) structure(fields []fieldDefinition, path string) *Struct {
	s := &Struct{Flexible: c.flexible}
	variable := c.flexible
	for i := range fields {
		d := &fields[i]
		if !d.Versions.has(c.version) {
			if d.Tagged.some {
				s.foreign = append(s.foreign, d.Tag)
			}
			s.heap += 24 // kmsg's struct has the fields of all versions
			continue
		}
		name := d.Name
		if path != "" {
			name = path + "." + d.Name
		}
		f := c.field(d, d.Type, name)
		s.heap += heapOf(&f)
		if d.Tagged.has(c.version) {
			f.Tag = d.Tag
			s.Tagged = append(s.Tagged, f)
			continue
		}
		s.Fields = append(s.Fields, f)
		s.least += f.least
		s.fixed += f.size
		variable = variable || f.size == 0
	}
	if variable {
		s.fixed = 0
	}
	if c.flexible {
		s.least++   // the count of tagged fields
		s.heap += 8 // the map of unknown ones
	}
	s.least = max(s.least, 1) // no definition is empty; were one, a count would still be bounded by the bytes
	slices.SortFunc(s.Tagged, func(a, b Field) int { return cmp.Compare(a.Tag, b.Tag) })
	run, next := 0, len(s.Fields)
	for i := len(s.Fields) - 1; i >= 0; i-- {
		f := &s.Fields[i]
		if f.size == 0 {
			run, next = 0, i
			f.next = i + 1
			continue
		}
		run += f.size
		f.run, f.next = run, next
	}
	return s
}

func (c *compiler) field(d *fieldDefinition, kind, path string) Field {
	f := Field{
		Name: d.Name, Path: path, Nullable: d.Nullable.has(c.version), Tag: -1,
		Default: strings.Trim(string(d.Default), `"`), flexible: c.flexible,
	}
	if elem, ok := strings.CutPrefix(kind, "[]"); ok {
		e := c.field(d, elem, path)
		e.Nullable, e.Default = false, ""
		f.Kind, f.Elem, f.least = Array, &e, f.prefix(4)
		return f
	}
	if simple, ok := kinds[kind]; ok {
		f.Kind, f.size = simple, sizes[simple]
		switch f.least = f.size; simple {
		case String:
			f.least = f.prefix(2)
		case Bytes, Records:
			f.least = f.prefix(4)
		}
		return f
	}
	fields := d.Fields
	if len(fields) == 0 {
		fields = c.common[kind]
	}
	if len(fields) == 0 {
		panic(fmt.Sprintf("wire: messages.txt: %s has the unknown type %s", path, kind)) // the tests compile every version
	}
	f.Kind, f.Struct = Structure, c.structure(fields, path)
	f.size, f.least = f.Struct.fixed, f.Struct.least
	if f.Nullable {
		f.size, f.least = 0, 1
	}
	return f
}

// prefix is the bytes of a length: wide in the old encoding, at least one in the compact one.
func (f *Field) prefix(wide int) int {
	if f.flexible {
		return 1
	}
	return wide
}

// heapOf is the size of the Go value that kmsg makes of a field on 64 bits, without what it points to.
func heapOf(f *Field) int {
	switch f.Kind {
	case String:
		return 24 // its header, and a pointer to it if it may be null
	case Bytes, Records, Array:
		return 24
	case Structure:
		return f.Struct.heap
	default:
		return max(f.size, 4)
	}
}
