package address_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/proxy/kafka/address"
	"github.com/asyncgate/asyncgate/proxy/kafka/internal/random"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// book serves the brokers with even ids.
type book struct{ host string }

func (b book) Broker(id int32) (string, int32, bool) {
	return b.host, 20000 + id%1000, id >= 0 && id%2 == 0
}

var gateway address.Book = book{"gateway.example.org"}

// payload is a response as it comes: header and body.
func payload(key, version int16, body []byte) []byte {
	return append(wire.AppendResponseHeader(nil, key, version, 77), body...)
}

// expected edits a decoded response the way the gateway should edit its bytes. It returns false if nothing changes.
func expected(m kmsg.Response) bool {
	changed := false
	at := func(id int32, host *string, port *int32) bool {
		changed = true
		var ok bool
		*host, *port, ok = gateway.Broker(id)
		return ok
	}
	switch m := m.(type) {
	case *kmsg.ProduceResponse:
		m.Brokers = filter(m.Brokers, func(b *kmsg.ProduceResponseBroker) bool { return at(b.NodeID, &b.Host, &b.Port) })
	case *kmsg.MetadataResponse:
		m.Brokers = filter(m.Brokers, func(b *kmsg.MetadataResponseBroker) bool { return at(b.NodeID, &b.Host, &b.Port) })
	case *kmsg.DescribeClusterResponse:
		m.Brokers = filter(m.Brokers, func(b *kmsg.DescribeClusterResponseBroker) bool { return at(b.NodeID, &b.Host, &b.Port) })
	case *kmsg.ShareAcknowledgeResponse:
		m.NodeEndpoints = filter(m.NodeEndpoints, func(b *kmsg.ShareAcknowledgeResponseNodeEndpoint) bool { return at(b.NodeID, &b.Host, &b.Port) })
	case *kmsg.FindCoordinatorResponse:
		if m.Version < 4 {
			changed = true
			coordinator(&m.NodeID, &m.Host, &m.Port, &m.ErrorCode, &m.ErrorMessage)
		}
		for i := range m.Coordinators {
			c := &m.Coordinators[i]
			changed = changed || m.Version >= 4
			coordinator(&c.NodeID, &c.Host, &c.Port, &c.ErrorCode, &c.ErrorMessage)
		}
	case *kmsg.DescribeQuorumResponse:
		for i := range m.Nodes {
			n := &m.Nodes[i]
			changed = changed || len(n.Listeners) > 0
			for j := range n.Listeners {
				host, port, _ := gateway.Broker(n.NodeID)
				n.Listeners[j].Host, n.Listeners[j].Port = host, uint16(port)
			}
			if n.NodeID < 0 || n.NodeID%2 != 0 {
				n.Listeners = nil
			}
		}
	}
	return changed
}

func coordinator(id *int32, host *string, port *int32, code *int16, message **string) {
	var ok bool
	*host, *port, ok = gateway.Broker(*id)
	if ok {
		return
	}
	*host, *port = "", -1
	if *id >= 0 {
		*id, *code, *message = -1, 15, nil
	}
}

func filter[T any](all []T, keep func(*T) bool) []T {
	var kept []T
	for i := range all {
		if keep(&all[i]) {
			kept = append(kept, all[i])
		}
	}
	return kept
}

// whole are the responses that Rewrite edits, with the first version that has addresses.
var whole = map[int16]int16{0: 10, 3: 0, 10: 0, 55: 2, 60: 0, 79: 1}

func TestEveryVersionKeepsAllButAddresses(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	for key, from := range whole {
		lo, hi := wire.Versions(key)
		changes := 0
		for version := lo; version <= hi; version++ {
			for range 100 {
				m, _ := random.Response(r, key, version, 4)
				fewer(r, m)
				body := m.AppendTo(nil)
				frame, err := address.Rewrite(gateway, key, version, payload(key, version, body))
				if err != nil {
					t.Fatalf("%s v%d: %v\n%x", wire.Name(key), version, err, body)
				}
				if version < from || !expected(m) {
					if frame != nil {
						t.Fatalf("%s v%d: changed without an address in it\n%x", wire.Name(key), version, body)
					}
					continue
				}
				changes++
				want := frameOf(payload(key, version, m.AppendTo(nil)))
				if equal(key, version, frame, want) != "" {
					t.Fatalf("%s v%d: %s\nwas  %x\ngot  %x\nwant %x", wire.Name(key), version, equal(key, version, frame, want), body, frame, want)
				}
			}
		}
		t.Logf("%s v%d-%d: %d responses changed", wire.Name(key), from, hi, changes)
	}
}

// fewer makes ids small, so that brokers are served, and some coordinators none.
func fewer(r *rand.Rand, m kmsg.Response) {
	id := func(p *int32) { *p = r.Int32N(20) - 1 }
	switch m := m.(type) {
	case *kmsg.ProduceResponse:
		for i := range m.Brokers {
			id(&m.Brokers[i].NodeID)
		}
	case *kmsg.MetadataResponse:
		for i := range m.Brokers {
			id(&m.Brokers[i].NodeID)
		}
	case *kmsg.DescribeClusterResponse:
		for i := range m.Brokers {
			id(&m.Brokers[i].NodeID)
		}
	case *kmsg.ShareAcknowledgeResponse:
		for i := range m.NodeEndpoints {
			id(&m.NodeEndpoints[i].NodeID)
		}
	case *kmsg.FindCoordinatorResponse:
		id(&m.NodeID)
		for i := range m.Coordinators {
			id(&m.Coordinators[i].NodeID)
		}
	case *kmsg.DescribeQuorumResponse:
		for i := range m.Nodes {
			id(&m.Nodes[i].NodeID)
		}
	}
}

func frameOf(payload []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(payload))), payload...)
}

// equal compares two frames byte by byte, or, where a tagged field became empty and kmsg leaves it out, as messages.
func equal(key, version int16, got, want []byte) string {
	if bytes.Equal(got, want) {
		return ""
	}
	decode := func(frame []byte) (kmsg.Response, error) {
		if n := binary.BigEndian.Uint32(frame); int(n) != len(frame)-4 {
			return nil, fmt.Errorf("length %d of %d", n, len(frame)-4)
		}
		_, n, err := wire.ParseResponseHeader(key, version, frame[4:])
		if err != nil {
			return nil, err
		}
		return wire.DecodeResponse(key, version, frame[4+n:])
	}
	a, err := decode(got)
	if err != nil {
		return err.Error()
	}
	b, err := decode(want)
	if err != nil {
		return err.Error()
	}
	return cmp.Diff(b.AppendTo(nil), a.AppendTo(nil))
}

func TestResponsesWithoutAddressesPassUntouched(t *testing.T) {
	r := rand.New(rand.NewPCG(23, 24))
	for key := int16(0); key <= kmsg.MaxKey; key++ {
		lo, hi := wire.Versions(key)
		for version := lo; version <= hi; version++ {
			from, edited := whole[key]
			wantMode := address.None
			switch {
			case key == 1 && version >= 16, key == 78:
				wantMode = address.Tail
			case edited && version >= from:
				wantMode = address.Whole
			}
			if got := address.Carries(key, version); got != wantMode {
				t.Errorf("%s v%d: mode %d, want %d", wire.Name(key), version, got, wantMode)
			}
			if wantMode != address.None {
				continue
			}
			_, body := random.Response(r, key, version, 3)
			if frame, err := address.Rewrite(gateway, key, version, payload(key, version, body)); frame != nil || err != nil {
				t.Errorf("%s v%d: %x %v", wire.Name(key), version, frame, err)
			}
		}
	}
}

// Every response in which a field is called Host is one of those that are rewritten, or not about brokers: a new
// definition with addresses fails here.
func TestNoResponseWithAHostIsForgotten(t *testing.T) {
	others := map[string]string{
		"DescribeGroups":        "ClientHost of members",
		"ConsumerGroupDescribe": "ClientHost of members",
		"ShareGroupDescribe":    "ClientHost of members",
		"StreamsGroupDescribe":  "ClientHost and UserEndpoint of members",
		"StreamsGroupHeartbeat": "UserEndpoint of members",
		"DescribeAcls":          "Host of an ACL",
		"DeleteAcls":            "Host of an ACL",
		"UpdateRaftVoter":       "never offered",
		"Vote":                  "never offered",
		"BeginQuorumEpoch":      "never offered",
		"EndQuorumEpoch":        "never offered",
		"FetchSnapshot":         "never offered",
	}
	for _, key := range wire.Keys() {
		lo, hi := wire.Versions(key)
		for version := lo; version <= hi; version++ {
			if !hasHost(wire.Response(key, version)) || address.Carries(key, version) != address.None {
				continue
			}
			if others[wire.Name(key)] == "" {
				t.Errorf("%s v%d has a host and is not rewritten", wire.Name(key), version)
			}
		}
	}
}

func hasHost(s *wire.Struct) bool {
	if s == nil {
		return false
	}
	for _, fields := range [][]wire.Field{s.Fields, s.Tagged} {
		for _, f := range fields {
			if f.Name == "Host" || f.Name == "ClientHost" || f.Name == "Port" || hasHost(f.Struct) || f.Elem != nil && hasHost(f.Elem.Struct) {
				return true
			}
		}
	}
	return false
}

func TestBrokenResponsesAreRefused(t *testing.T) {
	r := rand.New(rand.NewPCG(25, 26))
	for key := range whole {
		version := wire.Max(key)
		_, body := random.Response(r, key, version, 3)
		p := payload(key, version, body)
		for n := range p {
			if frame, err := address.Rewrite(gateway, key, version, p[:n]); err == nil {
				t.Fatalf("%s v%d accepts %d of %d bytes: %x", wire.Name(key), version, n, len(p), frame)
			}
		}
	}
}

func TestAProduceResponseWithoutMovesCostsNothing(t *testing.T) {
	m := kmsg.NewPtrProduceResponse()
	m.Version = 11
	topic := kmsg.NewProduceResponseTopic()
	topic.Partitions = append(topic.Partitions, kmsg.NewProduceResponseTopicPartition())
	m.Topics = append(m.Topics, topic)
	p := payload(0, 11, m.AppendTo(nil))
	if n := testing.AllocsPerRun(50, func() {
		if frame, err := address.Rewrite(gateway, 0, 11, p); frame != nil || err != nil {
			t.Fatal(frame, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
