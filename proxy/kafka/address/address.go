// Package address puts the gateway's addresses into Kafka responses in the place of the brokers' own.
//
// [Carries] says which responses name brokers. [Rewrite] edits one that is whole; a Fetch or ShareFetch response, whose
// addresses follow after all of its records, goes through a [Stream] and never needs to be whole. [HideConfigs] empties
// the settings of a broker that hold addresses.
//
// The package is pure: bytes in, bytes out. It trusts no response: each is checked to its last byte, and what is not an
// address is copied as it came, tagged fields of the future included.
package address

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// Book knows what clients dial to reach a broker.
type Book interface {
	// Broker returns the address of a broker at the gateway; ok is false for a broker that the gateway does not serve,
	// which is then left out of answers. The host has at most 255 bytes (a DNS name).
	Broker(id int32) (host string, port int32, ok bool)
}

// Mode is how the addresses of a response are rewritten.
type Mode uint8

// The modes.
const (
	None  Mode = iota // the response carries no address
	Whole             // by Rewrite
	Tail              // by a Stream
)

// Carries says how the response to an api key and version must be rewritten.
func Carries(key, version int16) Mode {
	switch r := editorOf(key); {
	case version < r.from:
		return None
	case r.tail:
		return Tail
	case r.edit != nil:
		return Whole
	}
	return None
}

// rewriting is how one API's responses carry addresses.
type rewriting struct {
	from int16 // first version that does
	edit func(*editor, *wire.Field) action
	// prepare looks at the response before it is edited; it may be nil.
	prepare func(*editor, *wire.Struct)
	sparse  bool // the addresses are NodeEndpoints, which few responses have
	tail    bool
}

// editors holds the APIs whose responses carry addresses, by key; each registers itself in its own file.
var editors [80]rewriting

func editorOf(key int16) rewriting {
	if key < 0 || int(key) >= len(editors) {
		return rewriting{}
	}
	return editors[key]
}

// errHost would be the gateway's own fault: names are checked when the settings are read. errSize takes a response of
// nearly 2 GiB.
var (
	errHost = errors.New("host of a broker longer than 255 bytes")
	errSize = errors.New("rewritten response longer than 2 GiB")
)

// Rewrite puts the addresses of the book into the response to an api key and version. The payload is the frame after its
// 4 bytes of length: header and body. If something changed, frame is the whole new frame, its length included; if not,
// it is nil and the payload may pass as it is.
//
// The error is a [*wire.Malformed] or [wire.ErrUnknown]; nothing of such a response may pass.
func Rewrite(book Book, key, version int16, payload []byte) (frame []byte, err error) {
	_, n, err := wire.ParseResponseHeader(key, version, payload)
	if err != nil {
		return nil, err
	}
	body, s := payload[n:], wire.Response(key, version)
	if err := s.Check(body); err != nil {
		return nil, err
	}
	r := editorOf(key)
	if r.edit == nil || version < r.from {
		return nil, nil
	}
	if r.sparse && !hasEndpoints(s, body) {
		return nil, nil
	}
	e := editor{book: book, body: body, handle: r.edit}
	if r.prepare != nil {
		r.prepare(&e, s)
	}
	return e.frame(s, payload[:n])
}

// frame edits the body and puts it behind its header and length. It returns nil if nothing changed.
func (e *editor) frame(s *wire.Struct, header []byte) ([]byte, error) {
	e.out = append(make([]byte, 4, 4+len(header)+len(e.body)+256), header...)
	e.structure(s, nil)
	size := len(e.out) - 4
	switch {
	case e.err != nil || !e.changed:
		return nil, e.err
	case size > math.MaxInt32:
		return nil, errSize
	}
	binary.BigEndian.PutUint32(e.out, uint32(size))
	return e.out, nil
}
