package canary

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
)

// MQTTConn is a connection that somebody opened to the canary.
type MQTTConn struct {
	net.Conn
	broker  *MQTT
	version wire.Version

	// Guarded by the broker's mutex.
	connect *wire.Connect // nil until it has come
	packets []wire.Type
	odd     []byte // the beginning of what was no packet
	ended   bool
}

func (c *MQTTConn) serve() {
	defer func() {
		_ = c.Close()
		c.broker.note(func() { c.ended = true })
	}()
	r := bufio.NewReaderSize(c, 4096)
	for {
		h, body, err := c.read(r)
		if err != nil {
			return
		}
		answer, ok := c.take(h, body)
		if !ok {
			c.broker.note(func() { c.odd = append(c.odd, byte(h.Type)<<4|h.Flags) })
			return
		}
		if len(answer) > 0 {
			if _, err := c.Write(answer); err != nil {
				return
			}
		}
		if h.Type == wire.DISCONNECT {
			return
		}
	}
}

// read reads one packet. What is no packet, and what is half of one, is kept.
func (c *MQTTConn) read(r *bufio.Reader) (h wire.Header, body []byte, err error) {
	scan := wire.Stream{Version: c.version, From: wire.Client, Max: maxFrame}
	for n := 1; ; n++ {
		b, err := r.Peek(n)
		if err != nil {
			c.keep(b)
			return h, nil, err
		}
		h, err = scan.Scan(b)
		if err == wire.ErrShort && h.Size == 0 {
			continue
		}
		if err != nil && err != wire.ErrShort {
			c.keep(b)
			return h, nil, err
		}
		break
	}
	packet := make([]byte, h.Len())
	if n, err := io.ReadFull(r, packet); err != nil {
		c.keep(packet[:n])
		return h, nil, err
	}
	return h, packet[h.Size:], nil
}

func (c *MQTTConn) keep(b []byte) {
	if len(b) > 0 {
		c.broker.note(func() { c.odd = append(c.odd, b...) })
	}
}

// take notes a packet and says what a good broker answers; false: it is none.
func (c *MQTTConn) take(h wire.Header, body []byte) (answer []byte, ok bool) {
	var err error
	connect := (*wire.Connect)(nil)
	switch h.Type {
	case wire.CONNECT:
		if connect, err = wire.DecodeConnect(slices.Clone(body)); err == nil {
			c.version = connect.Version
			answer = c.connack()
		}
	case wire.PUBLISH:
		answer, err = c.published(h, body)
	case wire.PUBREC, wire.PUBREL:
		var a wire.Ack
		if a, err = wire.DecodeAck(h.Type, body, c.version); err == nil && !a.Code.Failed() {
			answer = wire.Ack{Type: h.Type + 1, PacketID: a.PacketID}.Append(nil, c.version)
		}
	case wire.SUBSCRIBE:
		var s wire.Subscribe
		s, err = wire.DecodeSubscribe(body, c.version)
		ack := wire.Suback{Type: wire.SUBACK, PacketID: s.PacketID}
		for one := range s.All() {
			ack.Codes = append(ack.Codes, one.QoS)
		}
		answer = ack.Append(nil, c.version)
	case wire.UNSUBSCRIBE:
		var u wire.Unsubscribe
		u, err = wire.DecodeUnsubscribe(body, c.version)
		answer = wire.Suback{Type: wire.UNSUBACK, PacketID: u.PacketID, Codes: make([]byte, u.Count)}.Append(nil, c.version)
	case wire.PINGREQ:
		answer = []byte(wire.Pingresp)
	}
	if err != nil {
		return nil, false
	}
	c.broker.note(func() {
		if connect != nil {
			c.connect = connect
		}
		c.packets = append(c.packets, h.Type)
	})
	return answer, true
}

func (c *MQTTConn) connack() []byte {
	ack := wire.Connack{}
	if c.version == wire.V5 {
		ack.Properties = ack.Properties.WithUint(wire.ReceiveMaximum, MQTTReceiveMaximum).WithUint(wire.TopicAliasMaximum, MQTTTopicAliasMaximum)
	}
	return ack.Append(nil, c.version)
}

func (c *MQTTConn) published(h wire.Header, body []byte) ([]byte, error) {
	p, _, err := wire.DecodePublish(h, body, c.version, wire.Client)
	if err != nil || p.QoS == 0 || string(p.Topic) == Unanswered {
		return nil, err
	}
	ack := wire.Ack{Type: wire.PUBACK, PacketID: p.PacketID}
	if p.QoS == 2 {
		ack.Type = wire.PUBREC
	}
	return ack.Append(nil, c.version), nil
}

func (c *MQTTConn) describe() string {
	var words []string
	for i := 0; i < len(c.packets); {
		n := 1
		for i+n < len(c.packets) && c.packets[i+n] == c.packets[i] {
			n++
		}
		word := c.packets[i].String()
		if n > 1 {
			word = fmt.Sprintf("%s*%d", word, n)
		}
		words = append(words, word)
		i += n
	}
	if len(c.odd) > 0 {
		words = append(words, "odd")
	}
	return strings.Join(words, " ")
}
