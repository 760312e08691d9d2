package mqtttest

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Encode writes the packet for a version: 3 (MQTT 3.1), 4 (3.1.1) or 5. For "raw" it is the bytes that follow, in hex.
func (p *Packet) Encode(version byte) ([]byte, error) {
	if p.Name == "raw" {
		var digits strings.Builder
		for _, f := range p.Fields {
			digits.WriteString(f.Key)
		}
		return hex.DecodeString(digits.String())
	}
	body, err := p.body(version)
	if err != nil {
		return nil, err
	}
	kind := slices.Index(names[:], p.Name)
	flags := 0
	switch p.Name {
	case "PUBREL", "SUBSCRIBE", "UNSUBSCRIBE":
		flags = 2
	case "PUBLISH":
		qos, err := p.number("qos")
		if err != nil {
			return nil, err
		}
		flags = qos<<1 | bit(p.Has("retain"), 0) | bit(p.Has("dup"), 3)
	}
	return append(appendVarint([]byte{byte(kind<<4 | flags)}, len(body)), body...), nil
}

func bit(set bool, shift int) int {
	if set {
		return 1 << shift
	}
	return 0
}

// body is everything behind the fixed header.
func (p *Packet) body(version byte) ([]byte, error) {
	if p.Name == "CONNECT" {
		return p.connect(version)
	}
	var b []byte
	id, err := p.number("id")
	if err != nil {
		return nil, err
	}
	code, err := p.number("code")
	if err != nil {
		return nil, err
	}
	switch p.Name {
	case "PUBLISH":
		b = appendText(b, p.Text("topic"))
		if p.Text("qos") > "0" {
			b = appendNumber(b, twoBytes, uint32(id))
		}
	case "DISCONNECT", "AUTH":
		if version < 5 || len(p.Fields) == 0 {
			return nil, nil
		}
		b = append(b, byte(code))
	case "PINGREQ", "PINGRESP":
		return nil, nil
	default:
		b = appendNumber(b, twoBytes, uint32(id))
	}
	if slices.Contains([]string{"PUBACK", "PUBREC", "PUBREL", "PUBCOMP"}, p.Name) {
		if version < 5 || len(p.Fields) == 1 {
			return b, nil
		}
		b = append(b, byte(code))
	}
	if version == 5 {
		if b, err = p.appendProperties(b, ""); err != nil {
			return nil, err
		}
	}
	for _, f := range p.all("filter") {
		if b, err = p.appendFilter(b, f); err != nil {
			return nil, err
		}
	}
	return append(b, p.Text("payload")...), nil
}

// appendFilter appends FILTER, and for SUBSCRIBE what is behind its last colon: QoS, then n for no local, p for retain as
// published, and retain handling.
func (p *Packet) appendFilter(to []byte, filter string) ([]byte, error) {
	if p.Name == "UNSUBSCRIBE" {
		return appendText(to, filter), nil
	}
	colon := strings.LastIndexByte(filter, ':')
	if colon < 0 || colon == len(filter)-1 {
		return nil, fmt.Errorf("filter=%s has no :QoS", filter)
	}
	options := 0
	for i, c := range []byte(filter[colon+1:]) {
		switch {
		case c == 'n':
			options |= 4
		case c == 'p':
			options |= 8
		case i == 0:
			options |= int(c - '0')
		default:
			options |= int(c-'0') << 4
		}
	}
	return append(appendText(to, filter[:colon]), byte(options)), nil
}

// connect is the body of CONNECT: id, clean, keepalive, will (its topic) with will-qos, will-retain and will-payload,
// user, password; properties, and those of the will with "will:" in front.
func (p *Packet) connect(version byte) ([]byte, error) {
	name := "MQTT"
	if version == 3 {
		name = "MQIsdp"
	}
	b := appendText(nil, name)
	willQoS, err := p.number("will-qos")
	if err != nil {
		return nil, err
	}
	user := slices.DeleteFunc(p.all("user"), func(v string) bool { return strings.Contains(v, "=") }) // those are properties
	b = append(b, version, byte(bit(p.Has("clean"), 1)|bit(p.Has("will"), 2)|willQoS<<3|bit(p.Has("will-retain"), 5)|
		bit(p.Has("password"), 6)|bit(len(user) > 0, 7)))
	keepalive, err := strconv.ParseUint("0"+p.Text("keepalive"), 10, 16)
	if err != nil {
		return nil, err
	}
	b = appendNumber(b, twoBytes, uint32(keepalive))
	if version == 5 {
		if b, err = p.appendProperties(b, ""); err != nil {
			return nil, err
		}
	}
	b = appendText(b, p.Text("id"))
	if p.Has("will") {
		if version == 5 {
			if b, err = p.appendProperties(b, "will:"); err != nil {
				return nil, err
			}
		}
		b = appendText(appendText(b, p.Text("will")), p.Text("will-payload"))
	}
	if len(user) > 0 {
		b = appendText(b, user[0])
	}
	if p.Has("password") {
		b = appendText(b, p.Text("password"))
	}
	return b, nil
}
