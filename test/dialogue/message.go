package dialogue

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
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
