package wire_test

import (
	"strings"
	"testing"

	"github.com/asyncgate/asyncgate/internal/assembly"
	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
)

// spell is assembly.Bytes of a text that is right.
func spell(tb testing.TB, text string) []byte {
	tb.Helper()
	b, err := assembly.Bytes(text)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// What a gateway sees most, with 256 bytes of payload.
const (
	usual3 = `32 [ "smartylighting/streetlights/1/0/event/17/lighting/measured" 0001 (2a)*256 ]`
	usual5 = `32 [ "smartylighting/streetlights/1/0/event/17/lighting/measured" 0001 [ 02 0000003C 23 0005 ] (2a)*256 ]`
)

// walk scans a buffer and reads the head of every PUBLISH in it, as a pump does.
func walk(tb testing.TB, s wire.Stream, b []byte) (n int) {
	for len(b) > 0 {
		h, err := s.Scan(b)
		if err != nil {
			tb.Fatal(err)
		}
		if _, _, err := wire.DecodePublish(h, b[h.Size:h.Len()], s.Version, s.From); err != nil {
			tb.Fatal(err)
		}
		b = b[h.Len():]
		n++
	}
	return n
}

func benchmarkWalk(b *testing.B, v wire.Version, packet string) {
	buffer := spell(b, "("+packet+")*100")
	s := wire.Stream{Version: v, From: wire.Client, Max: 1 << 20}
	packets := 0
	b.ReportAllocs()
	for b.Loop() {
		packets += walk(b, s, buffer)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(packets), "ns/packet")
}

func BenchmarkScanPublish3(b *testing.B) { benchmarkWalk(b, wire.V311, usual3) }

func BenchmarkScanPublish5(b *testing.B) { benchmarkWalk(b, wire.V5, usual5) }

func BenchmarkAppendHead5(b *testing.B) {
	packet := spell(b, usual5)
	h, err := wire.Stream{Version: wire.V5, From: wire.Client}.Scan(packet)
	if err != nil {
		b.Fatal(err)
	}
	p, _, err := wire.DecodePublish(h, packet[h.Size:], wire.V5, wire.Client)
	if err != nil {
		b.Fatal(err)
	}
	p.Alias = 0
	dst := make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		dst = p.AppendHead(dst[:0], wire.V5)
	}
}

func BenchmarkDecodeConnect5(b *testing.B) {
	packet := spell(b, `10 [ "MQTT" 05 C2 003C [ 11 0000003C 21 0014 ] "some-client" "alice" "alice-secret" ]`)
	h, err := wire.Stream{From: wire.Client}.Scan(packet)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := wire.DecodeConnect(packet[h.Size:]); err != nil {
			b.Fatal(err)
		}
	}
}

// TestNothingIsAllocated: on the way of every message, and for what is only skipped however much it is.
func TestNothingIsAllocated(t *testing.T) {
	for _, c := range []struct {
		name, packet string
		version      wire.Version
	}{
		{"PUBLISH of 3.1.1", usual3, wire.V311},
		{"PUBLISH of 5", usual5, wire.V5},
		{"PUBLISH of 10,000 user properties", `30 [ "a" [ (26 "key" "value")*10000 ] ]`, wire.V5},
		{"PUBLISH of 10,000 empty user properties", `30 [ "a" [ (26 "" "")*10000 ] ]`, wire.V5},
	} {
		b := spell(t, c.packet)
		s := wire.Stream{Version: c.version, From: wire.Client}
		if n := testing.AllocsPerRun(10, func() { walk(t, s, b) }); n != 0 {
			t.Errorf("%s: %v allocations", c.name, n)
		}
	}
	b := spell(t, `82 [ 0001 [ (26 "" "")*10000 ] ("a/+" 00)*10000 ]`)
	s := wire.Stream{Version: wire.V5, From: wire.Client}
	if n := testing.AllocsPerRun(10, func() {
		h, err := s.Scan(b)
		if err != nil {
			t.Fatal(err)
		}
		sub, err := wire.DecodeSubscribe(b[h.Size:h.Len()], s.Version)
		if err != nil || sub.Count != 10000 {
			t.Fatal(sub.Count, err)
		}
		count := 0
		for one := range sub.All() {
			count += len(one.Filter)
		}
		if count != 30000 {
			t.Fatal(count)
		}
	}); n != 0 {
		t.Errorf("SUBSCRIBE: %v allocations", n)
	}
}

// TestCostIsLinear: a CONNECT costs no more than its own length, whatever it says.
func TestCostIsLinear(t *testing.T) {
	b := spell(t, `10 [ "MQTT" 05 06 003C [ ] "id" [ ('&' "" "")*`+"12000"+` ] "will" "bye" ]`)
	s := wire.Stream{From: wire.Client, Max: wire.MaxConnect}
	h, err := s.Scan(b)
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(10, func() {
		if _, err := wire.DecodeConnect(b[h.Size:]); err != nil {
			t.Fatal(err)
		}
	}); n > 8 {
		t.Errorf("%v allocations for %d bytes", n, len(b))
	}
	for _, hostile := range []string{
		`10 FFFFFF7F`, `10 [ "MQTT" 05 02 003C FFFFFF7F ]`, `10 [ FFFF ` + strings.Repeat("00", 20) + ` ]`,
	} {
		b := spell(t, hostile)
		if n := testing.AllocsPerRun(10, func() { _ = read(s, b) }); n > 20 {
			t.Errorf("%s: %v allocations", hostile, n)
		}
	}
}
