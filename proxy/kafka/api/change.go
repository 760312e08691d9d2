package api

import (
	"strings"

	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// Change is what must happen to a response, because of what its request asked for: the things that were refused are added
// to it, those that the principal may not see are left out.
type Change struct {
	h wire.RequestHeader

	array    string // at the top of the response, that elements belong to; empty: none
	n        int    // of elements
	elements []byte

	session bool // the response is one of a session

	nested map[string]*Change // by group: changes of its Topics

	filter *filter // nil: nothing is left out
	judge  Judge
}

// filter leaves out what the principal may not see.
type filter struct {
	always bool   // also where the request names what it wants
	array  string // path of the array
	hides  func(it, parent item, judge Judge) bool
	swap   func(it item, judge Judge) []byte // instead of hides: the element that takes the place of one; nil: it stays
}

// Merge makes the response that the client gets. The payload is the frame after its 4 bytes of length; the result is a
// complete frame. The error is one of package wire; nothing of such a response may pass.
func (c *Change) Merge(payload []byte) (frame []byte, err error) {
	_, n, err := wire.ParseResponseHeader(c.h.Key, c.h.Version, payload)
	if err != nil {
		return nil, err
	}
	if err := wire.CheckResponse(c.h.Key, c.h.Version, payload[n:]); err != nil {
		return nil, err
	}
	if top := (item{body: payload[n:], s: wire.Response(c.h.Key, c.h.Version)}); c.session && top.int("ErrorCode") > 0 {
		return finish(append(make([]byte, 4, 4+len(payload)), payload...)), nil // an error of the session is all it says
	}
	out := append(make([]byte, 4, 4+len(payload)+len(c.elements)+8), payload[:n]...)
	return finish(c.reshape(out, payload[n:])), nil
}

func (c *Change) reshape(out, body []byte) []byte {
	s := wire.Response(c.h.Key, c.h.Version)
	r := reshaper{body: body, touch: c.touches, add: c.adds}
	if f := c.filter; f != nil && f.hides != nil {
		r.drop = func(field *wire.Field, it, parent item) bool {
			return field.Path == f.array && f.hides(it, parent, c.judge)
		}
	}
	if f := c.filter; f != nil && f.swap != nil {
		r.swap = func(field *wire.Field, it item) []byte {
			if field.Path != f.array {
				return nil
			}
			return f.swap(it, c.judge)
		}
	}
	return r.reshape(out, s, 0)
}

// nestedArray are the topics of groups, which may have changes of their own.
const nestedArray = "Groups.Topics"

func (c *Change) touches(path string) bool {
	under := func(array string) bool { return path == array || strings.HasPrefix(array, path+".") }
	return c.array != "" && under(c.array) || c.filter != nil && under(c.filter.array) || c.nested != nil && under(nestedArray)
}

func (c *Change) adds(f *wire.Field, parent item) (int, []byte) {
	switch {
	case f.Path == c.array:
		return c.n, c.elements
	case f.Path == nestedArray && c.nested != nil:
		if of := c.nested[string(parent.text("GroupId"))]; of != nil {
			return of.n, of.elements
		}
	}
	return 0, nil
}
