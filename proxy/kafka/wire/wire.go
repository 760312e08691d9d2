// Package wire knows the structure of every Kafka message, and believes none.
//
// It interprets Apache Kafka's own message definitions (messages.txt, made from the kafka-clients jars by internal/gen):
// [CheckRequest] and [CheckResponse] walk a body to its last byte without allocating, [WalkRequest] and [WalkResponse]
// show each field on the way, a [Scanner] does the same to a body that arrives in pieces, and [DecodeRequest] and
// [DecodeResponse] hand a body to franz-go's kmsg only after it was checked. Headers are read by [ParseRequestHeader]
// and [ParseResponseHeader].
//
// The work of each is linear in the bytes it is given, whatever the bytes say: a count can never exceed the bytes that
// remain, and every element costs at least one.
//
// The package reads bytes and writes bytes; it does no I/O and keeps no reference to what it is given.
package wire

import (
	"errors"
	"fmt"
)

// ErrUnknown is the answer for an api key, or a version of one, that the definitions do not have.
var ErrUnknown = errors.New("unknown api key or version")

// Malformed says where a message breaks the definition of its version. It never carries bytes of the message.
type Malformed struct {
	Path   string // of the field, e.g. "Topics.Partitions.Records"; empty in a header
	Offset int    // of the first byte that is wrong, in the body or header
	Reason string // constant text
}

// Error is the reason with its place, for logs.
func (m *Malformed) Error() string {
	if m.Path == "" {
		return fmt.Sprintf("malformed message: %s at byte %d", m.Reason, m.Offset)
	}
	return fmt.Sprintf("malformed message: %s: %s at byte %d", m.Path, m.Reason, m.Offset)
}

// What can be wrong with a message.
const (
	reasonShort      = "ends too early"
	reasonTrailing   = "trailing bytes"
	reasonVarint     = "variable-length integer beyond 31 bits"
	reasonLength     = "length exceeds the bytes that remain"
	reasonNegative   = "negative length"
	reasonNull       = "null where the version does not allow it"
	reasonCount      = "more elements than the bytes that remain can hold"
	reasonTags       = "tagged fields not in ascending order"
	reasonTagSize    = "tagged field longer or shorter than its size says"
	reasonForeign    = "tagged field of another version"
	reasonPresence   = "presence of a structure neither 1 nor -1"
	reasonString     = "string longer than 32767 bytes"
	reasonHeaderTags = "tagged fields of the header beyond 4096 bytes"
)

// CheckRequest walks the body of a request (what follows its header) and returns nil if it is exactly what the
// definition of that version says, a [*Malformed] if not, [ErrUnknown] for a key or version that is not known.
func CheckRequest(key, version int16, body []byte) error { return Request(key, version).Check(body) }

// CheckResponse is [CheckRequest] for the body of a response.
func CheckResponse(key, version int16, body []byte) error { return Response(key, version).Check(body) }

// WalkRequest checks the body of a request as [CheckRequest] does, and shows visit every field in the order of the
// bytes. If visit returns false the walk ends there with nil, and the rest is unchecked.
func WalkRequest(key, version int16, body []byte, visit Visitor) error {
	return Request(key, version).Walk(body, visit)
}

// WalkResponse is [WalkRequest] for the body of a response.
func WalkResponse(key, version int16, body []byte, visit Visitor) error {
	return Response(key, version).Walk(body, visit)
}
