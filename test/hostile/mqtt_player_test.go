package hostile_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
	"github.com/asyncgate/asyncgate/test/canary"
)

// mqttResult is a vector as it went.
type mqttResult struct {
	*mqttVector
	local string        // the client's address
	late  time.Duration // between the last thing that was sent and the end of the connection
	sent  int           // bytes since mark was called last
}

// mqttDrip is between two bytes that drip: many of them outlast any deadline that each would extend.
const mqttDrip = 50 * time.Millisecond

// mqttPlayer is the client of a vector.
type mqttPlayer struct {
	conn    net.Conn
	stream  wire.Stream // of what the gateway sends
	have    []byte      // that has arrived and was not read yet
	held    []byte
	slowly  bool
	pause   time.Duration // after each write
	sent    time.Time
	result  *mqttResult
	patient time.Duration
	mark    func() // what is measured begins; nil: nothing is
	broker  *canary.MQTT
	take    func(have []byte) (what string, rest []byte, err error) // one answer
	ping    []byte                                                  // what is answered by PINGRESP
}

// play has the vector on a connection to the gateway, and closes it. An error means that it could not be had at all. The
// broker is the one behind the gateway; nil: the vector does not need it.
func (v *mqttVector) play(conn net.Conn, patient time.Duration, mark func(), broker *canary.MQTT) (*mqttResult, error) {
	defer conn.Close()
	went := *v
	went.steps, went.end = nil, ""
	p := &mqttPlayer{conn: conn, stream: wire.Stream{Version: v.speaks(), From: wire.Server}, patient: patient, mark: mark, broker: broker,
		result: &mqttResult{mqttVector: &went, local: conn.LocalAddr().String()}}
	p.take, p.ping = p.packet, []byte(wire.Pingreq)
	if v.raw {
		p.take, p.ping = (&upgraded{packet: p.packet}).take, framedPing
	}
	p.begin()
	for _, s := range v.steps {
		if err := p.step(s); err != nil {
			return nil, fmt.Errorf("%s: %w", s.verb, err)
		}
		if went.end != "" {
			return p.result, nil
		}
	}
	p.finish(v.end)
	return p.result, nil
}

// speaks is the version in which the vector will be answered: that of its first CONNECT.
func (v *mqttVector) speaks() wire.Version {
	if v.raw {
		return wire.V311
	}
	for _, s := range v.steps {
		if h, err := (wire.Stream{From: wire.Client}).Scan(s.bytes); h.Size > 0 && h.Type == wire.CONNECT && (err == nil || err == wire.ErrShort) {
			c, _ := wire.DecodeConnect(s.bytes[h.Size:min(h.Len(), len(s.bytes))])
			return c.Version
		}
	}
	return wire.V5
}

// begin is where what is measured begins.
func (p *mqttPlayer) begin() {
	p.result.sent, p.sent = 0, time.Now()
	if p.mark != nil {
		p.mark()
	}
}

func (p *mqttPlayer) step(s mqttStep) error {
	p.result.steps = append(p.result.steps, mqttStep{verb: s.verb, text: s.text})
	switch s.verb {
	case "slowly":
		p.slowly = true
	case "drip":
		p.slowly, p.pause = true, mqttDrip
	case "fin":
		p.sent = time.Now()
		return p.conn.(interface{ CloseWrite() error }).CloseWrite()
	case "broker":
		if err := p.broker.Send(hostile, s.bytes); err != nil {
			return err
		}
	case "await":
		p.await(s.text)
	case "+":
		p.held = append(p.held, s.bytes...)
	default:
		p.write(append(p.held, s.bytes...)) // if it fails, reading says why
		p.held = nil
	}
	for range s.answers {
		if !p.read() {
			return nil
		}
	}
	if strings.HasPrefix(s.text, "connect ") && p.result.end == "" && len(s.answers) > 0 {
		p.begin()
	}
	return nil
}

// await waits until the broker has had a packet of that type. If it never comes, what has come says so.
func (p *mqttPlayer) await(packet string) {
	limit := time.After(p.patient)
	for {
		changed := p.broker.Changed()
		for _, seen := range p.broker.Seen(hostile) {
			if slices.Contains(strings.Fields(seen), packet) {
				return
			}
		}
		select {
		case <-changed:
		case <-limit:
			return
		}
	}
}

func (p *mqttPlayer) write(b []byte) {
	size := max(len(b), 1)
	if p.slowly {
		size = 1
	}
	pause := p.pause
	p.slowly, p.pause = false, 0
	p.result.sent += len(b)
	_ = p.conn.SetWriteDeadline(time.Now().Add(p.patient))
	for len(b) > 0 {
		n, err := p.conn.Write(b[:min(size, len(b))])
		if err != nil {
			return
		}
		b = b[n:]
		if pause > 0 {
			<-time.After(pause)
		}
	}
	p.sent = time.Now()
}

// read reads one answer and writes it down. False: there is none, and the end is written down.
func (p *mqttPlayer) read() bool {
	_ = p.conn.SetReadDeadline(time.Now().Add(p.patient))
	buffer := make([]byte, 512)
	for {
		what, rest, err := p.take(p.have)
		switch {
		case err == nil:
			p.answered(what)
			p.have = rest
			return true
		case err != wire.ErrShort:
			p.answered(fmt.Sprintf("%v: %x", err, p.have))
			p.result.end = "closed"
			return false
		}
		n, err := p.conn.Read(buffer)
		p.have = append(p.have, buffer[:n]...)
		if err != nil && n == 0 {
			p.end(err)
			return false
		}
	}
}

// packet takes one packet off what has arrived, and describes it.
func (p *mqttPlayer) packet(have []byte) (what string, rest []byte, err error) {
	h, err := p.stream.Scan(have)
	if err != nil {
		return "", nil, err
	}
	return describeMQTT(p.stream.Version, h, have[h.Size:h.Len()]), have[h.Len():], nil
}

func (p *mqttPlayer) answered(what string) {
	last := &p.result.steps[len(p.result.steps)-1]
	last.answers = append(last.answers, what)
}

func (p *mqttPlayer) end(err error) {
	p.result.end = "closed"
	if errors.Is(err, os.ErrDeadlineExceeded) {
		p.result.end = "open"
		return
	}
	p.result.late = time.Since(p.sent)
}

// finish waits for the end of the connection, or sees that there is none: a ping is answered after all that came before
// it. What arrives until then is written down too.
func (p *mqttPlayer) finish(expected string) {
	if expected == "open" {
		p.write(p.ping)
		p.result.sent -= len(p.ping)
	}
	for p.read() {
		last := &p.result.steps[len(p.result.steps)-1]
		if n := len(last.answers) - 1; expected == "open" && last.answers[n] == "PINGRESP" {
			last.answers = last.answers[:n]
			p.result.end = "open"
			return
		}
	}
}

// describeMQTT is an answer in one line.
func describeMQTT(v wire.Version, h wire.Header, body []byte) string {
	var err error
	what := h.Type.String()
	switch h.Type {
	case wire.CONNACK:
		var c wire.Connack
		c, err = wire.DecodeConnack(body, v)
		what += fmt.Sprintf(" %02X", byte(c.Code))
		for word, id := range map[string]wire.Property{" assigned": wire.AssignedClientIdentifier, " keepalive": wire.ServerKeepAlive} {
			if c.Properties.Has(id) {
				what += word
			}
		}
	case wire.PUBACK, wire.PUBREC, wire.PUBREL, wire.PUBCOMP:
		var a wire.Ack
		a, err = wire.DecodeAck(h.Type, body, v)
		what += fmt.Sprintf(" %d %02X", a.PacketID, byte(a.Code))
	case wire.SUBACK, wire.UNSUBACK:
		var a wire.Suback
		a, err = wire.DecodeSuback(h.Type, body, v)
		what += fmt.Sprintf(" %d % X", a.PacketID, a.Codes)
	case wire.PUBLISH:
		var m wire.Publish
		m, _, err = wire.DecodePublish(h, body, v, wire.Server)
		what += fmt.Sprintf(" %s", m.Topic)
	case wire.DISCONNECT:
		var d wire.Disconnect
		d, err = wire.DecodeDisconnect(body, v, wire.Server)
		what += fmt.Sprintf(" %02X", byte(d.Code))
	case wire.AUTH:
		var a wire.Auth
		a, err = wire.DecodeAuth(body, wire.Server)
		what += fmt.Sprintf(" %02X", byte(a.Code))
	}
	if err != nil {
		what += ", " + err.Error()
	}
	return what
}
