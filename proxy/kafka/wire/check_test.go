package wire_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/proxy/kafka/internal/random"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// side is one direction of the protocol, so that both share the tests.
type side struct {
	name   string
	random func(r *rand.Rand, key, version int16, max int) []byte
	check  func(key, version int16, body []byte) error
	walk   func(key, version int16, body []byte, visit wire.Visitor) error
	max    func(key int16) int16 // of kmsg
}

var sides = []side{
	{
		name: "request", check: wire.CheckRequest, walk: wire.WalkRequest,
		random: func(r *rand.Rand, key, version int16, max int) []byte {
			_, b := random.Request(r, key, version, max)
			return b
		},
		max: func(key int16) int16 { return kmsg.RequestForKey(key).MaxVersion() },
	},
	{
		name: "response", check: wire.CheckResponse, walk: wire.WalkResponse,
		random: func(r *rand.Rand, key, version int16, max int) []byte {
			_, b := random.Response(r, key, version, max)
			return b
		},
		max: func(key int16) int16 { return kmsg.ResponseForKey(key).MaxVersion() },
	},
}

// each runs f for every api key and version that both the definitions and kmsg know.
func each(t *testing.T, f func(s side, key, version int16)) {
	for _, s := range sides {
		versions := 0
		for key := int16(0); key <= kmsg.MaxKey; key++ {
			lo, hi := wire.Versions(key)
			for version := lo; version <= min(hi, s.max(key)); version++ {
				f(s, key, version)
				versions++
			}
		}
		t.Logf("%s: %d versions of api keys 0 to %d", s.name, versions, kmsg.MaxKey)
	}
}

func TestEveryVersionThatKmsgEncodesIsAccepted(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	bodies := 0
	each(t, func(s side, key, version int16) {
		for range 20 {
			body := s.random(r, key, version, 4)
			if err := s.check(key, version, body); err != nil {
				t.Fatalf("%s %s v%d: %v\n%x", wire.Name(key), s.name, version, err, body)
			}
			bodies++
		}
	})
	t.Logf("%d bodies", bodies)
}

func TestEveryKeyOfKmsgIsKnownInEveryVersion(t *testing.T) {
	for key := int16(0); key <= kmsg.MaxKey; key++ {
		if !wire.Known(key) {
			t.Errorf("api key %d (%s) is not known", key, kmsg.NameForKey(key))
			continue
		}
		if got, want := wire.Max(key), kmsg.RequestForKey(key).MaxVersion(); got != want {
			t.Errorf("%s: highest version %d, kmsg has %d", wire.Name(key), got, want)
		}
	}
	for _, key := range []int16{-32768, -1, kmsg.MaxKey + 1, 200, 9999, 32767} {
		if wire.Known(key) || wire.Max(key) != -1 {
			t.Errorf("api key %d is known", key)
		}
		if err := wire.CheckRequest(key, 0, nil); !errors.Is(err, wire.ErrUnknown) {
			t.Errorf("api key %d: %v", key, err)
		}
	}
}

func TestVersionsBeyondTheDefinitionsAreRefused(t *testing.T) {
	for _, key := range wire.Keys() {
		for _, version := range []int16{-32768, -1, wire.Max(key) + 1, 32767} {
			for _, s := range sides {
				if err := s.check(key, version, make([]byte, 64)); !errors.Is(err, wire.ErrUnknown) {
					t.Errorf("%s %s v%d: %v", wire.Name(key), s.name, version, err)
				}
			}
		}
	}
}

func TestTruncatedAndExtendedBodiesAreRefused(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	cuts := 0
	each(t, func(s side, key, version int16) {
		body := s.random(r, key, version, 2)
		for n := range body {
			if err := s.check(key, version, body[:n]); err == nil {
				t.Fatalf("%s %s v%d accepts %d of %d bytes: %x", wire.Name(key), s.name, version, n, len(body), body)
			}
			cuts++
		}
		if err := s.check(key, version, append(bytes.Clone(body), 0)); err == nil {
			t.Fatalf("%s %s v%d accepts a byte too many: %x", wire.Name(key), s.name, version, body)
		}
	})
	t.Logf("%d truncations", cuts)
}

// What is accepted after a mutation must decode with kmsg, and encode to bytes that are accepted again: the gateway
// and kmsg never read a body differently.
func TestMutatedBodiesNeverDisagreeWithKmsg(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	accepted, refused := 0, 0
	each(t, func(s side, key, version int16) {
		for range 40 {
			body := mutate(r, s.random(r, key, version, 3))
			start := time.Now()
			err := s.check(key, version, body)
			if d := time.Since(start); d > time.Second {
				t.Fatalf("%s %s v%d: %v for %x", wire.Name(key), s.name, version, d, body)
			}
			if err != nil {
				refused++
				continue
			}
			accepted++
			if err := decodes(s.name, key, version, body); err != nil {
				t.Fatalf("%s %s v%d: accepted, but kmsg: %v\n%x", wire.Name(key), s.name, version, err, body)
			}
		}
	})
	t.Logf("%d accepted, %d refused", accepted, refused)
}

// mutate changes up to three bytes, to values that are likely to matter.
func mutate(r *rand.Rand, body []byte) []byte {
	for range 1 + r.IntN(3) {
		if len(body) == 0 {
			break
		}
		at := r.IntN(len(body))
		switch r.IntN(5) {
		case 0:
			body[at] = 0xff
		case 1:
			body[at] ^= 1 << r.IntN(8)
		case 2:
			body[at] = 0
		case 3:
			body = append(body[:at], body[at+1:]...)
		case 4:
			body = append(body[:at], append([]byte{byte(r.Uint32())}, body[at:]...)...)
		}
	}
	return body
}

func decodes(side string, key, version int16, body []byte) error {
	var again []byte
	if side == "request" {
		m, err := wire.DecodeRequest(key, version, body)
		if errors.Is(err, wire.ErrDense) {
			return nil
		}
		if err != nil {
			return err
		}
		again = m.AppendTo(nil)
		return wire.CheckRequest(key, version, again)
	}
	m, err := wire.DecodeResponse(key, version, body)
	if err != nil {
		return err
	}
	again = m.AppendTo(nil)
	return wire.CheckResponse(key, version, again)
}

func TestWalkSeesTheSameAsCheck(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	each(t, func(s side, key, version int16) {
		body := s.random(r, key, version, 3)
		last := -1
		err := s.walk(key, version, body, func(f *wire.Field, v wire.Value) bool {
			if v.Offset < last || v.Offset > len(body) {
				t.Fatalf("%s %s v%d: %s at %d after %d", wire.Name(key), s.name, version, f.Path, v.Offset, last)
			}
			last = v.Offset
			return true
		})
		if err != nil {
			t.Fatalf("%s %s v%d: %v", wire.Name(key), s.name, version, err)
		}
		mutated := mutate(r, bytes.Clone(body))
		checked := s.check(key, version, mutated)
		walked := s.walk(key, version, mutated, func(*wire.Field, wire.Value) bool { return true })
		if (checked == nil) != (walked == nil) {
			t.Fatalf("%s %s v%d: check %v, walk %v\n%x", wire.Name(key), s.name, version, checked, walked, mutated)
		}
	})
}

func TestWalkFindsWhatDecides(t *testing.T) {
	m := kmsg.NewPtrFetchRequest()
	m.Version = 15
	m.ReplicaState.ID = 7
	topic := kmsg.NewFetchRequestTopic()
	topic.TopicID = [16]byte{1, 2, 3}
	topic.Partitions = append(topic.Partitions, kmsg.NewFetchRequestTopicPartition())
	m.Topics = append(m.Topics, topic)

	var replica int64 = -1
	var id []byte
	err := wire.WalkRequest(1, 15, m.AppendTo(nil), func(f *wire.Field, v wire.Value) bool {
		switch f.Path {
		case "ReplicaState.ReplicaId":
			replica = v.Int()
		case "Topics.TopicId":
			id = v.Bytes
		}
		return true
	})
	if err != nil || replica != 7 || !bytes.Equal(id, topic.TopicID[:]) {
		t.Errorf("replica %d, topic id %x, %v", replica, id, err)
	}
}

func TestTheStructureSaysWhereItBreaks(t *testing.T) {
	// Metadata v1 with one topic whose name claims five bytes and has three.
	err := wire.CheckRequest(3, 1, []byte{0, 0, 0, 1, 0, 5, 'a', 'b', 'c'})
	var bad *wire.Malformed
	if !errors.As(err, &bad) || bad.Path != "Topics.Name" || bad.Offset != 6 {
		t.Fatalf("%v", err)
	}
}

func TestCheckAllocatesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for _, key := range []int16{0, 1, 3, 19, 33} {
		_, body := random.Request(r, key, wire.Max(key), 20)
		n := testing.AllocsPerRun(50, func() {
			if err := wire.CheckRequest(key, wire.Max(key), body); err != nil {
				t.Fatal(err)
			}
			fields := 0
			_ = wire.WalkRequest(key, wire.Max(key), body, func(f *wire.Field, _ wire.Value) bool {
				fields++
				return f.Path != "ReplicaState"
			})
		})
		if n != 0 {
			t.Errorf("%s: %v allocations", wire.Name(key), n)
		}
	}
}
