package mqtttest

import (
	"fmt"
	"io"
	"strconv"
)

// longest is more than any packet of a test.
const longest = 1 << 20

// Read reads one packet that a broker sends to a client of that version.
func Read(from io.Reader, version byte) (*Packet, error) {
	var head [1]byte
	if _, err := io.ReadFull(from, head[:]); err != nil {
		return nil, err
	}
	first := head[0]
	length := 0
	for shift := 0; ; shift += 7 {
		if _, err := io.ReadFull(from, head[:]); err != nil {
			return nil, err
		}
		length |= int(head[0]&127) << shift
		if head[0] < 128 {
			break
		}
		if shift == 21 {
			return nil, fmt.Errorf("a length of more than four bytes")
		}
	}
	if length > longest {
		return nil, fmt.Errorf("a packet of %d bytes", length)
	}
	whole := make([]byte, length)
	if _, err := io.ReadFull(from, whole); err != nil {
		return nil, err
	}
	p := &Packet{Name: names[first>>4]}
	b := &body{left: whole}
	p.read(b, first&15, version)
	if b.err != nil {
		return nil, fmt.Errorf("%s %x: %w", p.Name, whole, b.err)
	}
	return p, nil
}

// read reads what a broker sends.
func (p *Packet) read(b *body, flags, version byte) {
	switch p.Name {
	case "CONNACK":
		if b.byte()&1 == 1 {
			p.add("present", "")
		}
		p.add("code", code(b.byte()))
	case "PUBLISH":
		p.publish(b, flags, version)
		return
	case "PUBACK", "PUBREC", "PUBREL", "PUBCOMP":
		p.add("id", strconv.Itoa(b.uint16()))
		if len(b.left) == 0 {
			return
		}
		p.add("code", code(b.byte()))
	case "SUBACK", "UNSUBACK":
		p.add("id", strconv.Itoa(b.uint16()))
		if version == 5 {
			b.properties(p)
		}
		for len(b.left) > 0 {
			p.add("code", code(b.byte()))
		}
		return
	case "DISCONNECT", "AUTH":
		if len(b.left) == 0 {
			return
		}
		p.add("code", code(b.byte()))
	case "PINGRESP":
	default:
		b.err = fmt.Errorf("no broker sends this")
	}
	if version == 5 && len(b.left) > 0 {
		b.properties(p)
	}
	if len(b.left) > 0 && b.err == nil {
		b.err = fmt.Errorf("%d bytes too many", len(b.left))
	}
}

func code(n int) string { return fmt.Sprintf("0x%02x", n) }

func (p *Packet) publish(b *body, flags, version byte) {
	p.add("topic", b.text())
	if qos := flags >> 1 & 3; qos > 0 {
		p.add("qos", strconv.Itoa(int(qos)))
		p.add("id", strconv.Itoa(b.uint16()))
	}
	if flags&1 == 1 {
		p.add("retain", "")
	}
	if flags&8 == 8 {
		p.add("dup", "")
	}
	if version == 5 {
		b.properties(p)
	}
	if b.err == nil && len(b.left) > 0 {
		p.add("payload", string(b.left))
	}
}
