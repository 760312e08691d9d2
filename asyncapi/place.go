package asyncapi

import (
	"strconv"
	"strings"
)

// Place is where something stands in a document.
type Place struct {
	File    string
	Line    int    // from 1
	Column  int    // in characters, from 1
	Pointer string // JSON pointer (RFC 6901); empty for the whole document
}

// Text is a string of the document and its place. The zero value is a field that is not there.
type Text struct {
	Place
	Value string
}

// Stated reports whether the document has what stands at a place, if only with an empty value.
func (p Place) Stated() bool { return p.Line > 0 }

var (
	escapePointer   = strings.NewReplacer("~", "~0", "/", "~1")
	unescapePointer = strings.NewReplacer("~1", "/", "~0", "~")
)

// member is the pointer of a field of an object.
func member(pointer, key string) string { return pointer + "/" + escapePointer.Replace(key) }

// element is the pointer of an item of a list.
func element(pointer string, i int) string { return pointer + "/" + strconv.Itoa(i) }
