// Package mqtttest speaks MQTT 3.1, 3.1.1 and 5 in tests, one packet a line of text:
//
//	CONNECT id=alice-1 clean user=alice password=secret session-expiry=60
//	SUBSCRIBE id=1 filter=lights/+:1 filter=$share/g/lights/#:0
//	PUBLISH topic=lights/7 qos=1 id=5 payload="on and on" user=unit=lux
//	raw 30ff
//
// It knows no rules: what can be written down can be sent, right or wrong. Of what comes it expects the form that a
// broker's packets have, since it tests with brokers that are known.
package mqtttest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Packet is one control packet as text: its name, and its fields in order. A field without a value is a flag.
type Packet struct {
	Name   string
	Fields []Field
}

// Field is one part of a packet, named as in the table of properties or, for other parts, in [Packet.encode].
type Field struct{ Key, Value string }

// Parse reads a packet from a line.
func Parse(line string) (*Packet, error) {
	words, err := split(line)
	if err != nil || len(words) == 0 {
		return nil, fmt.Errorf("%q: %w", line, cmpError(err, "no packet"))
	}
	p := &Packet{Name: words[0]}
	if p.Name != "raw" && !slices.Contains(names[:], p.Name) {
		return nil, fmt.Errorf("%q: no packet is called %s", line, p.Name)
	}
	for _, word := range words[1:] {
		key, value, _ := strings.Cut(word, "=")
		p.Fields = append(p.Fields, Field{key, value})
	}
	return p, nil
}

func cmpError(err error, otherwise string) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("%s", otherwise)
}

// split cuts a line at spaces. A value in Go's quotes may contain them, and anything else.
func split(line string) ([]string, error) {
	var words []string
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimLeft(line, " ") {
		end := strings.IndexAny(line, ` "`)
		if end < 0 {
			return append(words, line), nil
		}
		if line[end] == ' ' {
			words, line = append(words, line[:end]), line[end:]
			continue
		}
		quoted, err := strconv.QuotedPrefix(line[end:])
		if err != nil {
			return nil, err
		}
		value, err := strconv.Unquote(quoted)
		if err != nil {
			return nil, err
		}
		words, line = append(words, line[:end]+value), line[end+len(quoted):]
	}
	return words, nil
}

// String is the packet as [Parse] reads it.
func (p *Packet) String() string {
	var b strings.Builder
	b.WriteString(p.Name)
	for _, f := range p.Fields {
		b.WriteString(" " + f.Key)
		if f.Value == "" {
			continue
		}
		if quoted := strconv.Quote(f.Value); quoted != `"`+f.Value+`"` || strings.ContainsAny(f.Value, ` `) {
			b.WriteString("=" + quoted)
		} else {
			b.WriteString("=" + f.Value)
		}
	}
	return b.String()
}

// Text is the value of a field, empty if there is none.
func (p *Packet) Text(key string) string {
	for _, f := range p.Fields {
		if f.Key == key {
			return f.Value
		}
	}
	return ""
}

// Has reports whether a field is there.
func (p *Packet) Has(key string) bool {
	return slices.ContainsFunc(p.Fields, func(f Field) bool { return f.Key == key })
}

// all are the values of a field that may come several times.
func (p *Packet) all(key string) []string {
	var values []string
	for _, f := range p.Fields {
		if f.Key == key {
			values = append(values, f.Value)
		}
	}
	return values
}

// number is a field as a number, in Go's notation.
func (p *Packet) number(key string) (int, error) {
	text := p.Text(key)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 0, 64)
	if err != nil {
		return 0, fmt.Errorf("%s %s=%s: no number", p.Name, key, text)
	}
	return int(n), nil
}

func (p *Packet) add(key, value string) { p.Fields = append(p.Fields, Field{key, value}) }

// names of the packets, by type (MQTT 5, table 2-1).
var names = [16]string{1: "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "SUBSCRIBE", "SUBACK",
	"UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH"}
