package mqtttest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The forms of properties on the wire.
const (
	oneByte = iota
	twoBytes
	fourBytes
	varint
	text
	pair
)

// property is one of MQTT 5 (table 2-4), with its name here.
type property struct {
	id   byte
	name string
	form int
}

var properties = []property{
	{0x01, "payload-format", oneByte}, {0x02, "message-expiry", fourBytes}, {0x03, "content-type", text},
	{0x08, "response-topic", text}, {0x09, "correlation", text}, {0x0b, "subscription-id", varint},
	{0x11, "session-expiry", fourBytes}, {0x12, "assigned-id", text}, {0x13, "server-keepalive", twoBytes},
	{0x15, "method", text}, {0x16, "data", text}, {0x17, "request-problem", oneByte}, {0x18, "will-delay", fourBytes},
	{0x19, "request-response", oneByte}, {0x1a, "response-info", text}, {0x1c, "server-reference", text},
	{0x1f, "reason", text}, {0x21, "receive-maximum", twoBytes}, {0x22, "alias-maximum", twoBytes}, {0x23, "alias", twoBytes},
	{0x24, "maximum-qos", oneByte}, {0x25, "retain-available", oneByte}, {0x26, "user", pair},
	{0x27, "maximum-packet", fourBytes}, {0x28, "wildcards-available", oneByte}, {0x29, "subscription-ids-available", oneByte},
	{0x2a, "shared-available", oneByte},
}

// appendProperties appends the properties among the fields, with their length in front. What has the prefix is meant,
// without it.
func (p *Packet) appendProperties(to []byte, prefix string) ([]byte, error) {
	var all []byte
	for _, f := range p.Fields {
		name, has := strings.CutPrefix(f.Key, prefix)
		i := slices.IndexFunc(properties, func(q property) bool { return q.name == name })
		if !has || i < 0 || p.Name == "CONNECT" && name == "user" && prefix == "" && !strings.Contains(f.Value, "=") {
			continue // the user name of CONNECT
		}
		q := properties[i]
		all = append(all, q.id)
		switch q.form {
		case text:
			all = appendText(all, f.Value)
		case pair:
			key, value, _ := strings.Cut(f.Value, "=")
			all = appendText(appendText(all, key), value)
		default:
			n, err := strconv.ParseUint(f.Value, 0, 32)
			if err != nil {
				return nil, fmt.Errorf("%s %s=%s: no number", p.Name, f.Key, f.Value)
			}
			all = appendNumber(all, q.form, uint32(n))
		}
	}
	return append(appendVarint(to, len(all)), all...), nil
}

func appendNumber(to []byte, form int, n uint32) []byte {
	switch form {
	case oneByte:
		return append(to, byte(n))
	case twoBytes:
		return binary.BigEndian.AppendUint16(to, uint16(n))
	case fourBytes:
		return binary.BigEndian.AppendUint32(to, n)
	}
	return appendVarint(to, int(n))
}

func appendText(to []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(to, uint16(len(s))), s...)
}

func appendVarint(to []byte, n int) []byte {
	for ; n > 127; n >>= 7 {
		to = append(to, byte(n)|128)
	}
	return append(to, byte(n))
}

// body reads the body of a packet. After an error everything is empty.
type body struct {
	left []byte
	err  error
}

func (b *body) take(n int) []byte {
	if b.err == nil && n > len(b.left) {
		b.err = errors.New("the packet ends too early")
	}
	if b.err != nil {
		return make([]byte, min(n, 4))
	}
	taken := b.left[:n]
	b.left = b.left[n:]
	return taken
}

func (b *body) byte() int    { return int(b.take(1)[0]) }
func (b *body) uint16() int  { return int(binary.BigEndian.Uint16(b.take(2))) }
func (b *body) text() string { return string(b.take(b.uint16())) }

func (b *body) varint() int {
	n := 0
	for shift := 0; shift < 28; shift += 7 {
		c := b.byte()
		n |= c & 127 << shift
		if c < 128 {
			return n
		}
	}
	b.err = errors.New("a length of more than four bytes")
	return 0
}

// properties reads properties into fields of a packet.
func (b *body) properties(p *Packet) {
	all := body{left: b.take(b.varint()), err: b.err}
	for len(all.left) > 0 && all.err == nil {
		id := all.byte()
		i := slices.IndexFunc(properties, func(q property) bool { return int(q.id) == id })
		if i < 0 {
			all.err = fmt.Errorf("no property has the number %#x", id)
			break
		}
		q := properties[i]
		switch q.form {
		case text:
			p.add(q.name, all.text())
		case pair:
			key := all.text()
			p.add(q.name, key+"="+all.text())
		case oneByte:
			p.add(q.name, strconv.Itoa(all.byte()))
		case twoBytes:
			p.add(q.name, strconv.Itoa(all.uint16()))
		case fourBytes:
			p.add(q.name, strconv.FormatUint(uint64(binary.BigEndian.Uint32(all.take(4))), 10))
		case varint:
			p.add(q.name, strconv.Itoa(all.varint()))
		}
	}
	if b.err == nil {
		b.err = all.err
	}
}
