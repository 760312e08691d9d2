package address_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/proxy/kafka/address"
	"github.com/asyncgate/asyncgate/proxy/kafka/internal/random"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// pass sends a payload through a stream in pieces of the sizes that next returns, followed by bytes of another
// response, and skips records where the size is odd.
func pass(book address.Book, key, version int16, payload []byte, next func() int) ([]byte, error) {
	var s address.Stream
	if err := s.Reset(book, key, version, len(payload)); err != nil {
		return nil, err
	}
	rest := append(bytes.Clone(payload), "next response"...)
	var sent []byte
	for !s.Done() {
		size := min(next(), len(rest))
		if skip := s.Skip(); skip > 0 && size%2 == 1 {
			m := min(skip, int64(size))
			sent = append(sent, rest[:m]...)
			rest = rest[m:]
			s.Skipped(m)
			continue
		}
		n, p, out, err := s.Feed(rest[:size])
		if err != nil {
			return nil, err
		}
		sent = append(append(sent, rest[:p]...), out...)
		rest = rest[n:]
		if n < size && !s.Done() || len(rest) == 0 {
			return nil, fmt.Errorf("took %d of %d and is not done", n, size)
		}
	}
	if string(rest) != "next response" {
		return nil, fmt.Errorf("%q left", rest)
	}
	return sent, nil
}

func whole1(n int) func() int { return func() int { return n } }

// tailed are the responses that pass through a stream.
func tailed(f func(key, version int16)) {
	for _, key := range []int16{1, 78} {
		lo, hi := wire.Versions(key)
		if key == 1 {
			lo = 16
		}
		for version := lo; version <= hi; version++ {
			f(key, version)
		}
	}
}

// randomTail returns a random Fetch or ShareFetch response with endpoints of brokers 0 to 9, whose hosts have up to 40
// bytes.
func randomTail(r *rand.Rand, key, version int16) kmsg.Response {
	m, _ := random.Response(r, key, version, 4)
	host := func() string { return strings.Repeat("h", r.IntN(41)) }
	switch m := m.(type) {
	case *kmsg.FetchResponse:
		for i := range m.Brokers {
			m.Brokers[i].NodeID, m.Brokers[i].Host = r.Int32N(10), host()
		}
	case *kmsg.ShareFetchResponse:
		for i := range m.NodeEndpoints {
			m.NodeEndpoints[i].NodeID, m.NodeEndpoints[i].Host = r.Int32N(10), host()
		}
	}
	return m
}

func TestAStreamChangesNothingButEndpointsAndKeepsTheLength(t *testing.T) {
	r := rand.New(rand.NewPCG(41, 42))
	tailed(func(key, version int16) {
		results := map[string]int{}
		for range 3000 {
			m := randomTail(r, key, version)
			p := payload(key, version, m.AppendTo(nil))
			got, err := pass(gateway, key, version, p, whole1(len(p)+5))
			if err != nil {
				t.Fatalf("%v\n%x", err, p)
			}
			if len(got) != len(p) {
				t.Fatalf("%d bytes became %d", len(p), len(got))
			}
			results[compare(t, key, version, p, got)]++
		}
		t.Logf("%s v%d: %v", wire.Name(key), version, results)
		for _, result := range []string{"untouched", "replaced", "left out"} {
			if results[result] == 0 {
				t.Errorf("%s v%d: never %s", wire.Name(key), version, result)
			}
		}
	})
}

// compare checks that two responses differ in their endpoints only, and says what became of these.
func compare(t *testing.T, key, version int16, was, got []byte) string {
	t.Helper()
	before, after := decode(t, key, version, was), decode(t, key, version, got)
	a, b := endpoints(before), endpoints(after)
	if bytes.Equal(was, got) {
		if len(*a) > 0 {
			t.Fatalf("the broker's endpoints passed: %+v", *a)
		}
		return "untouched"
	}
	want := filter(*a, func(e *endpoint) bool {
		var ok bool
		e.Host, e.Port, ok = gateway.Broker(e.ID)
		return ok
	})
	result := "replaced"
	if len(*b) == 0 && len(want) > 0 {
		result, want = "left out", nil
	}
	if diff := cmp.Diff(want, *b); diff != "" && len(want)+len(*b) > 0 {
		t.Fatalf("endpoints: %s", diff)
	}
	dropFiller(after)
	setEndpoints(before, nil)
	setEndpoints(after, nil)
	if !bytes.Equal(before.AppendTo(nil), after.AppendTo(nil)) {
		t.Fatalf("more than the endpoints has changed\nwas %x\ngot %x", was, got)
	}
	return result
}

type endpoint struct {
	ID   int32
	Host string
	Port int32
	Rack string
}

func endpoints(m kmsg.Response) *[]endpoint {
	var all []endpoint
	rack := func(s *string) string {
		if s == nil {
			return "null"
		}
		return *s
	}
	switch m := m.(type) {
	case *kmsg.FetchResponse:
		for _, b := range m.Brokers {
			all = append(all, endpoint{b.NodeID, b.Host, b.Port, rack(b.Rack)})
		}
	case *kmsg.ShareFetchResponse:
		for _, b := range m.NodeEndpoints {
			all = append(all, endpoint{b.NodeID, b.Host, b.Port, rack(b.Rack)})
		}
	}
	return &all
}

func setEndpoints(m kmsg.Response, _ []endpoint) {
	switch m := m.(type) {
	case *kmsg.FetchResponse:
		m.Brokers = nil
	case *kmsg.ShareFetchResponse:
		m.NodeEndpoints = nil
	}
}

// dropFiller takes the filling tagged field out of a decoded response: the random ones are tags 1000 to 1002.
func dropFiller(m kmsg.Response) {
	var tags *kmsg.Tags
	switch m := m.(type) {
	case *kmsg.FetchResponse:
		tags = &m.UnknownTags
	case *kmsg.ShareFetchResponse:
		tags = &m.UnknownTags
	}
	var kept kmsg.Tags
	tags.Each(func(tag uint32, b []byte) {
		if tag == 127 || tag == 16383 || tag == 2097151 {
			return
		}
		kept.Set(tag, b)
	})
	*tags = kept
}

func decode(t *testing.T, key, version int16, payload []byte) kmsg.Response {
	t.Helper()
	_, n, err := wire.ParseResponseHeader(key, version, payload)
	if err != nil {
		t.Fatal(err)
	}
	m, err := wire.DecodeResponse(key, version, payload[n:])
	if err != nil {
		t.Fatalf("%v\n%x", err, payload)
	}
	return m
}

func TestAStreamDoesTheSameHoweverTheResponseIsCut(t *testing.T) {
	r := rand.New(rand.NewPCG(43, 44))
	tailed(func(key, version int16) {
		for range 100 {
			p := payload(key, version, randomTail(r, key, version).AppendTo(nil))
			want, err := pass(gateway, key, version, p, whole1(len(p)))
			if err != nil {
				t.Fatal(err)
			}
			cuts := map[string]func() int{
				"by one":   whole1(1),
				"by two":   whole1(2),
				"randomly": func() int { return 1 + r.IntN(20) },
			}
			first := 1 + r.IntN(len(p))
			cuts["in two"] = func() int { n := first; first = len(p); return n }
			for name, next := range cuts {
				got, err := pass(gateway, key, version, p, next)
				if err != nil || !bytes.Equal(got, want) {
					t.Fatalf("%s: %v\ngot  %x\nwant %x", name, err, got, want)
				}
			}
		}
	})
}

// Every difference in length between the old and the new endpoints, from much shorter to much longer: also those that
// one filler cannot make up for.
func TestEveryDifferenceInLengthIsMadeUpFor(t *testing.T) {
	tailed(func(key, version int16) {
		for size := range 255 {
			m := randomTail(rand.New(rand.NewPCG(45, 46)), key, version)
			host := strings.Repeat("b", size)
			switch m := m.(type) {
			case *kmsg.FetchResponse:
				b := kmsg.NewFetchResponseBroker()
				b.NodeID, b.Host = 2, host
				m.Brokers = []kmsg.FetchResponseBroker{b}
			case *kmsg.ShareFetchResponse:
				b := kmsg.NewShareFetchResponseNodeEndpoint()
				b.NodeID, b.Host = 2, host
				m.NodeEndpoints = []kmsg.ShareFetchResponseNodeEndpoint{b}
			}
			p := payload(key, version, m.AppendTo(nil))
			got, err := pass(gateway, key, version, p, whole1(len(p)))
			if err != nil || len(got) != len(p) {
				t.Fatalf("host of %d bytes: %v, %d bytes became %d", size, err, len(p), len(got))
			}
			result := compare(t, key, version, p, got)
			host2, _, _ := gateway.Broker(2)
			wantReplaced := size == len(host2) || size >= len(host2)+2
			if (result == "replaced") != wantReplaced && size != len(host2)+1 {
				t.Errorf("host of %d bytes: %s", size, result)
			}
			if bytes.Contains(got, []byte(host)) && size > len(host2) {
				t.Errorf("host of %d bytes passed", size)
			}
		}
	})
}

func TestTruncatedAndLyingResponsesEndAStream(t *testing.T) {
	r := rand.New(rand.NewPCG(47, 48))
	tailed(func(key, version int16) {
		p := payload(key, version, randomTail(r, key, version).AppendTo(nil))
		for n := 4; n < len(p); n++ {
			var s address.Stream
			if err := s.Reset(gateway, key, version, n); err != nil {
				t.Fatal(err)
			}
			if _, _, _, err := s.Feed(p); err == nil {
				t.Fatalf("%s v%d: %d of %d bytes are a response: %x", wire.Name(key), version, n, len(p), p)
			}
		}
		var s address.Stream
		if err := s.Reset(gateway, key, version, len(p)+1); err != nil {
			t.Fatal(err)
		}
		if _, _, _, err := s.Feed(append(bytes.Clone(p), 0)); err == nil {
			t.Fatalf("%s v%d: a byte too many is accepted", wire.Name(key), version)
		}
	})
}

func TestMoreThan64KiBOfTailIsRefused(t *testing.T) {
	m := kmsg.NewPtrFetchResponse()
	m.Version = 16
	m.UnknownTags.Set(9, make([]byte, 65<<10))
	p := payload(1, 16, m.AppendTo(nil))
	if _, err := pass(gateway, 1, 16, p, whole1(len(p))); err == nil {
		t.Error("accepted")
	}
}

func TestAResponseWithoutEndpointsCostsNoMemory(t *testing.T) {
	p := bigFetch(10, 100<<10)
	var s address.Stream
	if n := testing.AllocsPerRun(20, func() {
		if err := s.Reset(gateway, 1, 16, len(p)); err != nil {
			t.Fatal(err)
		}
		if _, n, out, err := s.Feed(p); n != len(p) || out != nil || err != nil {
			t.Fatal(n, out, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// bigFetch is a Fetch v16 response of that many partitions with so many bytes of records each.
func bigFetch(partitions, records int) []byte {
	m := kmsg.NewPtrFetchResponse()
	m.Version = 16
	topic := kmsg.NewFetchResponseTopic()
	for i := range partitions {
		p := kmsg.NewFetchResponseTopicPartition()
		p.Partition = int32(i)
		p.RecordBatches = make([]byte, records)
		topic.Partitions = append(topic.Partitions, p)
	}
	m.Topics = append(m.Topics, topic)
	return payload(1, 16, m.AppendTo(nil))
}

func BenchmarkStreamFetch1MB(b *testing.B) {
	p := bigFetch(10, 100<<10)
	var s address.Stream
	b.ReportAllocs()
	b.SetBytes(int64(len(p)))
	for b.Loop() {
		_ = s.Reset(gateway, 1, 16, len(p))
		if _, _, _, err := s.Feed(p); err != nil || !s.Done() {
			b.Fatal(err)
		}
	}
}

func BenchmarkStreamFetch1KB(b *testing.B) {
	p := bigFetch(1, 1<<10)
	var s address.Stream
	b.ReportAllocs()
	for b.Loop() {
		_ = s.Reset(gateway, 1, 16, len(p))
		if _, _, _, err := s.Feed(p); err != nil || !s.Done() {
			b.Fatal(err)
		}
	}
}

func FuzzFetchTail(f *testing.F) {
	r := rand.New(rand.NewPCG(49, 50))
	for range 20 {
		f.Add(false, randomTail(r, 1, 17).AppendTo(nil), uint8(3))
		f.Add(true, randomTail(r, 78, 1).AppendTo(nil), uint8(7))
	}
	f.Fuzz(func(t *testing.T, share bool, body []byte, cut uint8) {
		key, version := int16(1), int16(17)
		if share {
			key, version = 78, 1
		}
		p := payload(key, version, body)
		got, err := pass(gateway, key, version, p, whole1(len(p)+1))
		if (err == nil) != (wire.CheckResponse(key, version, body) == nil) {
			t.Fatalf("stream %v, check %v", err, wire.CheckResponse(key, version, body))
		}
		if err != nil {
			return
		}
		if len(got) != len(p) || wire.CheckResponse(key, version, got[5:]) != nil {
			t.Fatalf("%x became %x", p, got)
		}
		again, err := pass(gateway, key, version, p, whole1(int(cut)+1))
		if err != nil || !bytes.Equal(got, again) {
			t.Fatalf("cut: %v\n%x\n%x", err, got, again)
		}
	})
}
