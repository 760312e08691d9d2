package dialogue

import (
	"encoding/binary"
	"math"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// encode is the message as bytes, which are not to be changed.
func (m *Message) encode(c *conversation) ([]byte, error) {
	if m.form == "request" {
		c.correlation++
	}
	if strings.Contains(m.Text, "{nonce}") || strings.Contains(m.Text, "{r}") || strings.Contains(m.Text, "{token:") {
		return m.make(c)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if b, ok := m.known[c.correlation]; ok {
		if m.mechanism != "" {
			c.mechanism = m.mechanism
		}
		return b, nil
	}
	b, err := m.make(c)
	if m.known == nil {
		m.known = map[int32][]byte{}
	}
	m.known[c.correlation] = b
	return b, err
}

func (m *Message) make(c *conversation) ([]byte, error) {
	switch m.form {
	case "bytes":
		return m.raw, nil
	case "frame":
		return frame(m.raw), nil
	case "token":
		token, err := c.expand(m.texts[0])
		return frame(token), err
	}
	body, err := m.body(c)
	if err != nil {
		return nil, err
	}
	tail, _ := parseBytes(m.with["tail"]) // checked when it was read
	return frame(append(append(m.header(c.correlation), body...), tail...)), nil
}

// header is the header of a request: with a client id but for ControlledShutdown 0, and with tagged fields where the
// version is flexible.
func (m *Message) header(correlation int32) []byte {
	h := binary.BigEndian.AppendUint16(nil, uint16(m.key))
	h = binary.BigEndian.AppendUint16(h, uint16(m.version))
	h = binary.BigEndian.AppendUint32(h, uint32(correlation))
	if m.key == int16(kmsg.ControlledShutdown) && m.version == 0 {
		return h
	}
	client, ok := m.with["client"]
	if !ok {
		client = ClientID
	}
	h = append(binary.BigEndian.AppendUint16(h, uint16(len(client))), client...)
	if tags, ok := m.with["tags"]; ok {
		b, _ := parseBytes(tags) // checked when it was read
		return append(h, b...)
	}
	if flexible(m.key, m.version) {
		h = append(h, 0)
	}
	return h
}

// ClientID is the client id in the header of every request.
const ClientID = "dialogue"

func flexible(key, version int16) bool {
	r := kmsg.RequestForKey(key)
	if r == nil {
		return false
	}
	r.SetVersion(version)
	return r.IsFlexible()
}

func (m *Message) body(c *conversation) ([]byte, error) {
	if m.spelt {
		return m.raw, nil
	}
	if b, ok := m.with["body"]; ok {
		return parseBytes(b)
	}
	texts := make([][]byte, len(m.texts))
	for i, t := range m.texts {
		var err error
		if texts[i], err = c.expand(t); err != nil {
			return nil, err
		}
	}
	switch {
	case m.key == int16(kmsg.SASLHandshake) && len(texts) == 1:
		return m.handshake(c, texts[0]), nil
	case m.key == int16(kmsg.SASLAuthenticate) && len(texts) == 1:
		return m.authenticate(texts[0]), nil
	case m.key == int16(kmsg.ApiVersions):
		return m.apiVersions(texts), nil
	}
	r := kmsg.RequestForKey(m.key)
	if r == nil {
		return nil, nil
	}
	r.SetVersion(m.version)
	if d, ok := r.(interface{ Default() }); ok {
		d.Default()
	}
	return r.AppendTo(nil), nil
}

func (m *Message) handshake(c *conversation, mechanism []byte) []byte {
	if m.nulls[0] {
		return []byte{0xff, 0xff}
	}
	m.mechanism = string(mechanism)
	c.mechanism = m.mechanism
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(mechanism))), mechanism...)
}

func (m *Message) authenticate(token []byte) []byte {
	switch {
	case m.version >= 2 && m.nulls[0]:
		return []byte{0, 0}
	case m.version >= 2:
		return append(append(binary.AppendUvarint(nil, uint64(len(token))+1), token...), 0)
	case m.nulls[0]:
		return binary.BigEndian.AppendUint32(nil, math.MaxUint32)
	}
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(token))), token...)
}

func (m *Message) apiVersions(texts [][]byte) []byte {
	if m.version < 3 {
		return nil
	}
	if len(texts) == 0 {
		texts = [][]byte{[]byte(ClientID), []byte("1")}
	}
	var b []byte
	for _, t := range texts {
		b = append(binary.AppendUvarint(b, uint64(len(t))+1), t...)
	}
	return append(b, 0)
}

func frame(b []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
}
