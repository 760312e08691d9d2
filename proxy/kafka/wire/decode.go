package wire

import (
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Decoding a message of many tiny elements makes it many times larger in memory (24 times for the topics of a
// Metadata request with empty names). Requests of real clients stay below their factor; brokers are trusted with more,
// as the partitions of a Metadata response do take 5 times their bytes. Strings are copied besides, once.
const (
	requestHeap  = 3
	responseHeap = 15
	heapFree     = 64 << 10
)

// ErrDense is the answer for a message that is well-formed, and made to take far more memory than bytes.
var ErrDense = errors.New("decoded message would take many times its bytes")

// DecodeRequest checks the body of a request as [CheckRequest] does and hands it to kmsg. The []byte fields of what it
// returns are parts of body, which must outlive it.
//
// A body that would take more memory than 4 times its bytes and 64 KiB gets [ErrDense] and is not decoded.
func DecodeRequest(key, version int16, body []byte) (kmsg.Request, error) {
	if err := dense(Request(key, version), body, requestHeap); err != nil {
		return nil, err
	}
	r := kmsg.RequestForKey(key)
	if err := read(r, version, body); err != nil {
		return nil, err
	}
	return r, nil
}

// DecodeResponse is [DecodeRequest] for the body of a response, which may take 16 times its bytes and 64 KiB.
func DecodeResponse(key, version int16, body []byte) (kmsg.Response, error) {
	if err := dense(Response(key, version), body, responseHeap); err != nil {
		return nil, err
	}
	r := kmsg.ResponseForKey(key)
	if err := read(r, version, body); err != nil {
		return nil, err
	}
	return r, nil
}

// message is what kmsg's requests and responses have in common.
type message interface {
	MaxVersion() int16
	SetVersion(int16)
	ReadFrom([]byte) error
}

// read has kmsg decode a body that was checked; m is nil for a key that kmsg does not have.
func read(m message, version int16, body []byte) error {
	if m == nil || version > m.MaxVersion() {
		return fmt.Errorf("%w: not known to kmsg", ErrUnknown)
	}
	m.SetVersion(version)
	if err := m.ReadFrom(body); err != nil {
		return fmt.Errorf("kmsg: %w", err)
	}
	return nil
}

func dense(s *Struct, body []byte, factor int) error {
	heap, err := s.walk(body, nil)
	if err != nil {
		return err
	}
	if heap > int64(factor)*int64(len(body))+heapFree {
		return ErrDense
	}
	return nil
}
