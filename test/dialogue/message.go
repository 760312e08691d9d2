package dialogue

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/internal/assembly"
)

// Message is something to send. The forms:
//
//	NAME vN                         a request with the body that is empty wherever it can be; NAME may be an API key
//	NAME vN body=BYTES tail=BYTES tags=BYTES client=TEXT
//	                                with another body, with more after it, with these tagged fields in the header, with
//	                                another client id
//	NAME vN : WORDS                 with the body that the words spell, see internal/assembly; the answer is written as the
//	                                errors of what it names, see [Named]
//	SaslHandshake vN TEXT|null      asks for a mechanism
//	SaslAuthenticate vN TEXT|null   a token
//	ApiVersions vN TEXT TEXT        from a client software of that name and version
//	ApiVersions vN list             the answer is written with all that it lists
//	token TEXT                      a token without a header, as it follows SaslHandshake 0
//	frame BYTES                     any bytes with their length before them
//	bytes BYTES                     any bytes
//
// BYTES is hexadecimal; 00ff*3 is three times the two bytes, and a dot joins pieces. TEXT is a quoted Go string in which
// {…} stands for something, see [conversation.expand].
type Message struct {
	Text string // as the file has it

	name    string // of the API, as the file has it
	form    string // "request", "token", "frame" or "bytes"
	key     int16
	version int16
	texts   []string // null is nil
	nulls   []bool
	list    bool
	raw     []byte // of frame and bytes; a body that was spelt
	spelt   bool
	with    map[string]string

	// What the message was as bytes, by correlation id, if it is always the same: whoever measures what a server costs
	// plays a dialogue twice, and the second time the player costs little.
	mu        sync.Mutex
	known     map[int32][]byte
	mechanism string // of a SaslHandshake that has been made
}

// ParseMessage reads a message.
func ParseMessage(text string) (*Message, error) {
	words, err := split(text)
	if err != nil {
		return nil, err
	}
	if len(words) < 2 {
		return nil, fmt.Errorf("%q is no message", text)
	}
	m := &Message{Text: text, with: map[string]string{}}
	switch words[0] {
	case "frame", "bytes":
		m.form = words[0]
		m.raw, err = parseBytes(words[1])
		if m.form == "frame" && len(m.raw) >= 8 { // so that the answer can be read
			m.key = int16(binary.BigEndian.Uint16(m.raw))
			m.version = int16(binary.BigEndian.Uint16(m.raw[2:]))
			m.name = kmsg.NameForKey(m.key)
		}
		return m, err
	case "token":
		m.form = "token"
		return m, m.argument(words[1])
	}
	m.form, m.name = "request", words[0]
	if m.key, err = parseKey(words[0]); err != nil {
		return nil, err
	}
	version, ok := strings.CutPrefix(words[1], "v")
	n, err := strconv.ParseInt(version, 10, 16)
	if err != nil || !ok {
		return nil, fmt.Errorf("%q is no version", words[1])
	}
	m.version = int16(n)
	for _, w := range words[2:] {
		if err := m.argument(w); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// argument takes one word after the version.
func (m *Message) argument(word string) error {
	switch key, value, ok := strings.Cut(word, "="); {
	case strings.HasPrefix(word, ": "):
		var err error
		m.raw, err = assembly.Bytes(word[2:])
		m.spelt = true
		return err
	case word[0] == '"':
		text, err := strconv.Unquote(word)
		m.texts, m.nulls = append(m.texts, text), append(m.nulls, false)
		return err
	case word == "null":
		m.texts, m.nulls = append(m.texts, ""), append(m.nulls, true)
	case word == "list":
		m.list = true
	case ok:
		m.with[key] = value
		if key != "client" {
			_, err := parseBytes(value)
			return err
		}
	default:
		return fmt.Errorf("%q says nothing", word)
	}
	return nil
}

// split cuts a line into words, keeping quoted strings whole, and all that follows a colon.
func split(text string) ([]string, error) {
	var words []string
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		if strings.HasPrefix(text, ": ") {
			return append(words, text), nil
		}
		if text[0] == '"' {
			quoted, err := strconv.QuotedPrefix(text)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", text, err)
			}
			words, text = append(words, quoted), text[len(quoted):]
			continue
		}
		word, rest, _ := strings.Cut(text, " ")
		words, text = append(words, word), rest
	}
	return words, nil
}

func parseKey(name string) (int16, error) {
	for key := int16(0); key <= kmsg.MaxKey; key++ {
		if strings.EqualFold(kmsg.NameForKey(key), name) {
			return key, nil
		}
	}
	key, err := strconv.ParseInt(name, 10, 16)
	if err != nil {
		return 0, fmt.Errorf("%q is no API", name)
	}
	return int16(key), nil
}

func parseBytes(text string) ([]byte, error) {
	var all []byte
	for piece := range strings.SplitSeq(text, ".") {
		digits, times, repeated := strings.Cut(piece, "*")
		b, err := hex.DecodeString(digits)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", piece, err)
		}
		n := 1
		if repeated {
			if n, err = strconv.Atoi(times); err != nil {
				return nil, fmt.Errorf("%q: %w", piece, err)
			}
		}
		for range n {
			all = append(all, b...)
		}
	}
	return all, nil
}

// encode is the message as bytes, which are not to be changed.
func (m *Message) encode(c *conversation) ([]byte, error) {
	if m.form == "request" {
		c.correlation++
	}
	if strings.Contains(m.Text, "{nonce}") || strings.Contains(m.Text, "{r}") {
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
