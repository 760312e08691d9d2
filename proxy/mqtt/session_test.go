package mqtt_test

import (
	"strings"
	"testing"

	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
)

// Messages of every quality of service pass, in every version, and come back in their order.
func TestMessagesPass(t *testing.T) {
	b := newBroker(t, nil)
	w := start(t, b.url, nil)
	for _, v := range []wire.Version{wire.V31, wire.V311, wire.V5} {
		t.Run(v.String(), func(t *testing.T) {
			c := w.connected("mqtt", login(v, "alice", "one-"+v.String())) // the broker may still be at the one before
			if codes := c.subscribe(1, "lights/#"); len(codes) != 1 || codes[0] != 2 {
				t.Fatalf("granted %v", codes)
			}
			c.send(message(v, "lights/0", 0, 0, "zero"), message(v, "lights/1", 1, 7, "one"), message(v, "lights/2", 2, 8, "two"))
			seen := map[string]int{}
			for range 7 { // three messages, PUBACK, PUBREC, then PUBCOMP and whatever the broker waits for
				h, body, err := c.next()
				if err != nil {
					t.Fatalf("after %v: %v", seen, err)
				}
				switch h.Type {
				case wire.PUBLISH:
					p, n, err := wire.DecodePublish(h, body, v, wire.Server)
					if err != nil {
						t.Fatal(err)
					}
					seen[string(p.Topic)+"="+string(body[n:])]++
					switch p.QoS {
					case 1:
						c.send(wire.Ack{Type: wire.PUBACK, PacketID: p.PacketID}.Append(nil, v))
					case 2:
						c.send(wire.Ack{Type: wire.PUBREC, PacketID: p.PacketID}.Append(nil, v))
					}
				case wire.PUBREC:
					c.send(wire.Ack{Type: wire.PUBREL, PacketID: 8}.Append(nil, v))
				case wire.PUBREL:
					a, _ := wire.DecodeAck(wire.PUBREL, body, v)
					c.send(wire.Ack{Type: wire.PUBCOMP, PacketID: a.PacketID}.Append(nil, v))
				default:
					seen[h.Type.String()]++
				}
			}
			for _, want := range []string{"lights/0=zero", "lights/1=one", "lights/2=two", "PUBACK", "PUBCOMP"} {
				if seen[want] != 1 {
					t.Errorf("%s seen %d times: %v", want, seen[want], seen)
				}
			}
			c.send([]byte(wire.Pingreq))
			c.want(wire.PINGRESP)
			c.send(wire.Disconnect{}.Append(nil, v))
			c.ended()
		})
	}
}

// A message that no buffer holds passes in pieces, through both pumps.
func TestBigMessagesPass(t *testing.T) {
	b := newBroker(t, nil)
	w := start(t, b.url, nil)
	c := w.connected("mqtt", login(wire.V5, "alice", "one"))
	c.subscribe(1, "big")
	payload := strings.Repeat("0123456789abcdef", 64<<10) // 1 MiB
	for _, qos := range []byte{0, 1} {
		c.send(message(wire.V5, "before", 0, 0, "x"), message(wire.V5, "big", qos, uint16(qos), payload), message(wire.V5, "big", 0, 0, "after"))
		for range 2 + int(qos) {
			h, body, err := c.next()
			if err != nil {
				t.Fatal(err)
			}
			if h.Type == wire.PUBACK {
				continue
			}
			p, n, err := wire.DecodePublish(h, body, wire.V5, wire.Server)
			if err != nil || string(body[n:]) != payload && string(body[n:]) != "after" {
				t.Fatalf("a message of %d bytes: %v", len(body)-n, err)
			}
			if p.QoS == 1 {
				c.send(wire.Ack{Type: wire.PUBACK, PacketID: p.PacketID}.Append(nil, wire.V5))
			}
		}
	}
}
