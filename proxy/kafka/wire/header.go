package wire

import (
	"encoding/binary"
	"errors"
	"math"
)

// Api keys whose headers are special.
const (
	keyControlledShutdown = 7
	keyApiVersions        = 18
)

// maxHeaderTags bounds the tagged fields of a header, in bytes. Kafka defines none so far; a client of the future may
// send a few small ones.
const maxHeaderTags = 4096

// MaxRequestHeader is the most bytes that a request header can take: what a caller must have at hand, or the whole
// frame, for [ParseRequestHeader] never to return [ErrShort].
const MaxRequestHeader = 2 + 2 + 4 + 2 + math.MaxInt16 + 5 + maxHeaderTags

// MaxResponseHeader is the same for [ParseResponseHeader].
const MaxResponseHeader = 4 + 5 + maxHeaderTags

// ErrShort is the answer for a header that goes on after the bytes at hand. If they were the whole frame, the frame is
// malformed.
var ErrShort = errors.New("header ends too early")

// RequestHeader is the header of a request.
type RequestHeader struct {
	Key         int16
	Version     int16
	Correlation int32
	ClientID    []byte // as sent, a part of the frame; nil if it was null or the header version has none
}

// RequestHeaderVersion is the version of the header that a request of that api key and version has: 2 has tagged
// fields, 1 has none, 0 (only ControlledShutdown v0) has no client id either. Versions beyond the highest known count
// like the highest: so can ApiVersions of any version be read, as KIP-511 wants it.
func RequestHeaderVersion(key, version int16) int16 {
	switch k := lookup(key); {
	case key == keyControlledShutdown && version == 0:
		return 0
	case k != nil && version >= k.flexible:
		return 2
	}
	return 1
}

// ResponseHeaderVersion is the version of the header that the response to a request has: 1 has tagged fields, 0 has
// none. ApiVersions always has 0, so that a client can read it before it knows the broker's version (KIP-511).
func ResponseHeaderVersion(key, version int16) int16 {
	if k := lookup(key); k != nil && key != keyApiVersions && version >= k.flexible {
		return 1
	}
	return 0
}

// ParseRequestHeader reads the header at the start of a request frame (after its 4 bytes of length) and returns how many
// bytes it takes: the body follows. The frame need not be complete; if the header is not, the error is [ErrShort].
//
// For an api key that is not known the error is [ErrUnknown], and for a header that breaks its definition a
// [*Malformed]; key, version and correlation id are then set all the same. A version that is not known is not an error
// here.
func ParseRequestHeader(frame []byte) (h RequestHeader, n int, err error) {
	if len(frame) < 8 {
		return h, 0, ErrShort
	}
	h.Key = int16(binary.BigEndian.Uint16(frame))
	h.Version = int16(binary.BigEndian.Uint16(frame[2:]))
	h.Correlation = int32(binary.BigEndian.Uint32(frame[4:]))
	if !Known(h.Key) {
		return h, 0, ErrUnknown
	}
	version := RequestHeaderVersion(h.Key, h.Version)
	if version == 0 {
		return h, 8, nil
	}
	if len(frame) < 10 {
		return h, 0, ErrShort
	}
	n = 10
	switch size := int(int16(binary.BigEndian.Uint16(frame[8:]))); {
	case size < -1:
		return h, 0, &Malformed{Offset: 8, Reason: reasonNegative}
	case size >= 0:
		if len(frame)-n < size {
			return h, 0, ErrShort
		}
		h.ClientID = frame[n : n+size : n+size]
		n += size
	}
	if version == 2 {
		n, err = skipTags(frame, n)
	}
	return h, n, err
}

// ParseResponseHeader reads the header at the start of a response frame (after its 4 bytes of length) to a request of
// that api key and version, and returns the correlation id and how many bytes the header takes. The frame need not be
// complete; if the header is not, the error is [ErrShort].
func ParseResponseHeader(key, version int16, frame []byte) (correlation int32, n int, err error) {
	if len(frame) < 4 {
		return 0, 0, ErrShort
	}
	correlation, n = int32(binary.BigEndian.Uint32(frame)), 4
	if ResponseHeaderVersion(key, version) == 1 {
		n, err = skipTags(frame, n)
	}
	return correlation, n, err
}

// AppendRequestHeader appends the header of a request. The client id must not be longer than 32767 bytes.
func AppendRequestHeader(dst []byte, key, version int16, correlation int32, clientID string) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(key))
	dst = binary.BigEndian.AppendUint16(dst, uint16(version))
	dst = binary.BigEndian.AppendUint32(dst, uint32(correlation))
	header := RequestHeaderVersion(key, version)
	if header > 0 {
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(clientID)))
		dst = append(dst, clientID...)
	}
	if header == 2 {
		dst = append(dst, 0)
	}
	return dst
}

// AppendResponseHeader appends the header of the response to a request of that api key and version.
func AppendResponseHeader(dst []byte, key, version int16, correlation int32) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(correlation))
	if ResponseHeaderVersion(key, version) == 1 {
		dst = append(dst, 0)
	}
	return dst
}

// skipTags returns the offset after the tagged fields of a header that begin at off.
func skipTags(b []byte, off int) (int, error) {
	start := off
	read := func() (int, error) {
		n, size := Uvarint(b[off:])
		switch {
		case size == 0:
			return 0, ErrShort
		case size < 0:
			return 0, &Malformed{Offset: off, Reason: reasonVarint}
		}
		off += size
		return n, nil
	}
	count, err := read()
	if err != nil {
		return 0, err
	}
	if count > maxHeaderTags/2 { // a tag and a size each
		return 0, &Malformed{Offset: start, Reason: reasonHeaderTags}
	}
	last := -1
	for range count {
		tag, err := read()
		if err != nil {
			return 0, err
		}
		size, err := read()
		if err != nil {
			return 0, err
		}
		switch {
		case tag <= last:
			return 0, &Malformed{Offset: off, Reason: reasonTags}
		case off-start+size > maxHeaderTags:
			return 0, &Malformed{Offset: off, Reason: reasonHeaderTags}
		case size > len(b)-off:
			return 0, ErrShort
		}
		last = tag
		off += size
	}
	return off, nil
}

// ResponseHeader returns the structure of the header of a response, for a [Scanner].
func ResponseHeader(key, version int16) *Struct {
	return responseHeaders[ResponseHeaderVersion(key, version)]
}

var responseHeaders = [2]*Struct{
	compile(&responseHeader, 0),
	compile(&responseHeader, 1),
}

var responseHeader = definition{
	Flexible: versions{1, math.MaxInt16, true},
	Fields:   []fieldDefinition{{Name: "CorrelationId", Type: "int32", Versions: versions{0, math.MaxInt16, true}}},
}
