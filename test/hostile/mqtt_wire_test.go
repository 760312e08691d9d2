package hostile_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
)

// TestMQTTVectorsOnTheWire has package wire judge every vector of an MQTT client, without a gateway.
func TestMQTTVectorsOnTheWire(t *testing.T) {
	counts := map[string][2]int{}
	for _, v := range mqttVectors(t, "M[01][0-9]") {
		got := ""
		if err := judged(v); err != nil {
			got = fmt.Sprintf("%02X", byte(err.Code))
		}
		if got != v.wire {
			t.Errorf("%s/%s: package wire says %q (%v), want %q", v.class, v.name, got, judged(v), v.wire)
		}
		n := counts[v.class]
		n[0]++
		if v.wire != "" {
			n[1]++
		}
		counts[v.class] = n
	}
	for _, class := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%s: %3d vectors, of which %3d are refused by their bytes alone", class, counts[class][0], counts[class][1])
	}
}

// maxPacket is how much a packet may have after the login, by default, in bytes.
const maxPacket = 100 << 20

// judged reads all that a vector sends, and returns what is wrong with it.
func judged(v *mqttVector) *wire.Malformed {
	s := wire.Stream{From: wire.Client, Max: wire.MaxConnect}
	var b []byte
	for _, step := range v.steps {
		if step.verb == ">" || step.verb == "+" {
			b = append(b, step.bytes...)
		}
	}
	for {
		h, err := s.Scan(b)
		switch {
		case err == nil:
			err = decodeOne(&s, h, b[h.Size:h.Len()])
		case err == wire.ErrShort && h.Type == wire.PUBLISH && h.Size > 0: // its head may be wrong by itself
			_, _, err = wire.DecodePublish(h, b[h.Size:], s.Version, wire.Client)
		}
		if m := (*wire.Malformed)(nil); errors.As(err, &m) {
			return m
		}
		if len(b) < h.Len() || h.Size == 0 {
			return nil
		}
		b = b[h.Len():]
	}
}

// decodeOne reads one body, and what a CONNECT says of all that follow.
func decodeOne(s *wire.Stream, h wire.Header, body []byte) (err error) {
	switch h.Type {
	case wire.CONNECT:
		var c *wire.Connect
		c, err = wire.DecodeConnect(body)
		s.Version, s.Max = c.Version, maxPacket
	case wire.PUBLISH:
		_, _, err = wire.DecodePublish(h, body, s.Version, wire.Client)
	case wire.PUBACK, wire.PUBREC, wire.PUBREL, wire.PUBCOMP:
		_, err = wire.DecodeAck(h.Type, body, s.Version)
	case wire.SUBSCRIBE:
		_, err = wire.DecodeSubscribe(body, s.Version)
	case wire.UNSUBSCRIBE:
		_, err = wire.DecodeUnsubscribe(body, s.Version)
	case wire.DISCONNECT:
		_, err = wire.DecodeDisconnect(body, s.Version, wire.Client)
	case wire.AUTH:
		_, err = wire.DecodeAuth(body, wire.Client)
	}
	return err
}
