package api

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/policy"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// byName is a judge that lets pass what is called yes…; an id is known if its first byte is 1, and allowed if its second is.
func byName(q Question) int16 {
	ok := strings.HasPrefix(string(q.Name), "yes")
	if q.ID != nil {
		if q.ID[0] != 1 {
			return codeUnknownTopicID
		}
		ok = q.ID[1] == 1
	}
	switch {
	case ok || q.AnyTopic:
		return 0
	case q.Kind == policy.Group:
		return codeGroupAuthorizationFailed
	case q.Kind == policy.Transaction:
		return codeTransactionalIDAuthorizationFailed
	}
	return codeTopicAuthorizationFailed
}

// fill makes a message of a structure in which every array has three elements and every name one of three: yes-1, no and
// yes-2, in turn. The groups and transactional ids at the top are allowed.
type filling struct{ strings, ids int }

func (f *filling) structure(out []byte, s *wire.Struct, top bool) []byte {
	for i := range s.Fields {
		out = f.field(out, &s.Fields[i], top)
	}
	if s.Flexible {
		out = append(out, 0)
	}
	return out
}

func (f *filling) field(out []byte, field *wire.Field, top bool) []byte {
	switch field.Kind {
	case wire.String:
		if top {
			return wire.AppendString(out, field.Flexible(), "yes")
		}
		name := []string{"yes-1", "no", "yes-2"}[f.strings%3]
		f.strings++
		return wire.AppendString(out, field.Flexible(), name)
	case wire.UUID:
		id := make([]byte, 16)
		copy(id, [][]byte{{1, 1}, {1, 0}, {2, 0}}[f.ids%3])
		f.ids++
		return append(out, id...)
	case wire.Array:
		out = wire.AppendCount(out, field.Flexible(), 3)
		for range 3 {
			out = f.field(out, field.Elem, false)
		}
		return out
	case wire.Structure:
		if field.Nullable {
			out = append(out, 1)
		}
		return f.structure(out, field.Struct, top)
	case wire.Bytes, wire.Records:
		return wire.AppendCount(out, field.Flexible(), 0)
	}
	b := builder{}
	b.value(field, map[bool]string{true: "0", false: "0"}[top])
	return append(out, b.out...)
}

// Every version of every API: what is forwarded, what is answered and what a response becomes keeps to its definition, and
// names nothing that is refused.
func TestSplitsKeepToTheirDefinitions(t *testing.T) {
	for _, key := range slices.Sorted(maps.Keys(asks)) {
		lo, hi := wire.Versions(key)
		for version := lo; version <= min(hi, Of(key).Max()); version++ {
			h := wire.RequestHeader{Key: key, Version: version, Correlation: 7}
			var f filling
			body := f.structure(nil, wire.Request(key, version), true)
			v, err := Ask(h, body, byName, func([][16]byte) {})
			if err != nil {
				t.Errorf("%s v%d: %v", wire.Name(key), version, err)
				continue
			}
			if v.Answer != nil {
				_, n, err := wire.ParseResponseHeader(key, version, v.Answer[4:])
				if err == nil {
					err = wire.CheckResponse(key, version, v.Answer[4+n:])
				}
				if err != nil {
					t.Errorf("%s v%d: answer: %v", wire.Name(key), version, err)
				}
			}
			if v.Forward == nil {
				continue
			}
			if err := wire.CheckRequest(key, version, v.Forward); err != nil {
				t.Errorf("%s v%d: forwards: %v", wire.Name(key), version, err)
				continue
			}
			again, err := Ask(h, v.Forward, byName, func([][16]byte) {})
			if err != nil || again.Refused != 0 || again.Forward == nil {
				t.Errorf("%s v%d: what is forwarded is refused: %+v, %v", wire.Name(key), version, again, err)
			}
			if v.Change == nil {
				continue
			}
			f = filling{}
			payload := f.structure(wire.AppendResponseHeader(nil, key, version, 7), wire.Response(key, version), false)
			frame, err := v.Change.Merge(payload)
			if err == nil {
				_, n, _ := wire.ParseResponseHeader(key, version, frame[4:])
				err = wire.CheckResponse(key, version, frame[4+n:])
			}
			if err != nil {
				t.Errorf("%s v%d: merge: %v", wire.Name(key), version, err)
			}
		}
	}
}

func TestEveryPassingAPIAsks(t *testing.T) {
	for _, a := range All() {
		if a.Class != Pass || a.Key == 17 || a.Key == 18 || a.Key == 36 {
			continue
		}
		if !a.Asks() {
			t.Errorf("%d %s asks nothing", a.Key, a.Name())
		}
	}
}

func TestTopicIDsAreLearnedOnce(t *testing.T) {
	r := kmsg.NewPtrFetchRequest()
	r.Version = 13
	for i := range byte(3) {
		topic := kmsg.NewFetchRequestTopic()
		topic.TopicID = [16]byte{2, i}
		r.Topics = append(r.Topics, topic)
	}
	known, learned := map[[16]byte]bool{}, 0
	v, err := Ask(wire.RequestHeader{Key: 1, Version: 13}, r.AppendTo(nil), func(q Question) int16 {
		if known[[16]byte(q.ID)] {
			return 0
		}
		return codeUnknownTopicID
	}, func(ids [][16]byte) {
		learned++
		for _, id := range ids[1:] {
			known[id] = true
		}
	})
	if err != nil || learned != 1 || v.Refused != 1 {
		t.Errorf("learned %d times, %+v, %v", learned, v, err)
	}
}

// FuzzAsk: no request may panic, and nothing that is refused may be forwarded.
func FuzzAsk(f *testing.F) {
	for key := range asks {
		lo, hi := wire.Versions(key)
		for _, version := range []int16{lo, hi} {
			var fill filling
			f.Add(key, version, fill.structure(nil, wire.Request(key, version), true))
		}
	}
	f.Fuzz(func(t *testing.T, key, version int16, body []byte) {
		if limit, ok := MaxVersion(key); !ok || version < 0 || version > limit {
			return
		}
		h := wire.RequestHeader{Key: key, Version: version}
		_, _, _ = SessionOf(h, body)
		v, err := Ask(h, bytes.Clone(body), byName, func([][16]byte) {})
		if err != nil || v.Forward == nil {
			return
		}
		if again, err := Ask(h, v.Forward, byName, func([][16]byte) {}); err != nil || again.Refused != 0 {
			t.Fatalf("%d v%d: what is forwarded is refused: %+v, %v", key, version, again, err)
		}
		if v.Change != nil {
			_, _ = v.Change.Merge(body)
		}
	})
}
