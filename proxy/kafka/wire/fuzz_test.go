package wire_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/asyncgate/asyncgate/proxy/kafka/internal/random"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// What every fuzzed body must fulfil: Check, Walk and Scanner agree, and what they accept kmsg reads and writes to
// something that they accept again.
func agree(t *testing.T, side string, s *wire.Struct, key, version int16, body []byte) {
	err := s.Check(body)
	fields := 0
	walked := s.Walk(body, func(*wire.Field, wire.Value) bool { fields++; return true })
	if (err == nil) != (walked == nil) {
		t.Fatalf("check %v, walk %v", err, walked)
	}
	if fields > 16*len(body)+1000 {
		t.Fatalf("%d fields in %d bytes", fields, len(body))
	}
	if s == nil {
		return
	}
	if scanned := scan(s, body, func() int { return 3 }); (err == nil) != (scanned == nil) {
		t.Fatalf("check %v, scanner %v", err, scanned)
	}
	if err != nil {
		return
	}
	if err := decodes(side, key, version, body); err != nil {
		t.Fatal(err)
	}
}

func FuzzCheckRequest(f *testing.F) {
	r := rand.New(rand.NewPCG(71, 72))
	for _, key := range wire.Keys() {
		_, body := random.Request(r, key, wire.Max(key), 3)
		f.Add(key, wire.Max(key), body)
	}
	for _, b := range bombs {
		f.Add(b.key, b.version, b.body(64))
	}
	f.Fuzz(func(t *testing.T, key, version int16, body []byte) {
		agree(t, "request", wire.Request(key, version), key, version, body)
	})
}

func FuzzCheckResponse(f *testing.F) {
	r := rand.New(rand.NewPCG(73, 74))
	for _, key := range wire.Keys() {
		_, body := random.Response(r, key, wire.Max(key), 3)
		f.Add(key, wire.Max(key), body)
	}
	f.Fuzz(func(t *testing.T, key, version int16, body []byte) {
		if key == 78 && version == 1 {
			return // kmsg writes null records that Kafka does not read
		}
		agree(t, "response", wire.Response(key, version), key, version, body)
	})
}

func FuzzRequestHeader(f *testing.F) {
	for _, key := range wire.Keys() {
		f.Add(wire.AppendRequestHeader(nil, key, wire.Max(key), 1, "client"))
	}
	f.Add([]byte{0, 18, 0, 3, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, frame []byte) {
		h, n, err := wire.ParseRequestHeader(frame)
		if err != nil {
			return
		}
		if n > len(frame) || n > wire.MaxRequestHeader {
			t.Fatalf("header of %d bytes in %d", n, len(frame))
		}
		plain := wire.AppendRequestHeader(nil, h.Key, h.Version, h.Correlation, string(h.ClientID))
		again, _, err := wire.ParseRequestHeader(plain)
		if err != nil || again.Key != h.Key || again.Version != h.Version || again.Correlation != h.Correlation || !bytes.Equal(again.ClientID, h.ClientID) {
			t.Fatalf("%+v became %+v, %v", h, again, err)
		}
	})
}
