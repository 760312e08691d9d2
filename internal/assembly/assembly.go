// Package assembly spells the bytes of MQTT packets as text, good ones and bad ones, for the data files of tests.
//
//	10 [ "MQTT" 05 02 003C [ 21 000A ] "client" ]
//
// is a CONNECT. The words:
//
//	10 003C      bytes, in hexadecimal
//	"text"       a string with its two bytes of length before it; Go's escapes count
//	'text'       the same without the length
//	[ … ]        what is inside, with its length before it as a variable byte integer
//	( … )*N      what is inside, N times
//	{x*N}        inside of quotes: x, N times
package assembly

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// maxSize bounds what a text can stand for, in bytes: nobody means more.
const maxSize = 512 << 20

// Bytes reads a text.
func Bytes(text string) ([]byte, error) {
	p := parser{rest: text}
	b, err := p.list("")
	if err != nil {
		return nil, fmt.Errorf("%w before %q", err, p.rest)
	}
	return b, nil
}

type parser struct{ rest string }

// list reads words up to one that closes, or to the end.
func (p *parser) list(closing string) ([]byte, error) {
	var b []byte
	for {
		p.rest = strings.TrimLeft(p.rest, " \t\n")
		if p.rest == "" {
			if closing != "" {
				return nil, fmt.Errorf("%s is missing", closing)
			}
			return b, nil
		}
		if closing != "" && strings.HasPrefix(p.rest, closing) {
			p.rest = p.rest[len(closing):]
			return b, nil
		}
		word, err := p.word()
		if err != nil {
			return nil, err
		}
		if b = append(b, word...); len(b) > maxSize {
			return nil, fmt.Errorf("more than %d bytes", maxSize)
		}
	}
}

func (p *parser) word() ([]byte, error) {
	switch first := p.rest[0]; first {
	case '[':
		p.rest = p.rest[1:]
		b, err := p.list("]")
		return append(binary.AppendUvarint(nil, uint64(len(b))), b...), err
	case '(':
		p.rest = p.rest[1:]
		b, err := p.list(")")
		if err != nil {
			return nil, err
		}
		n, err := p.times()
		if err != nil || n > maxSize || n*len(b) > maxSize {
			return nil, fmt.Errorf("the group needs a count: )*N")
		}
		return []byte(strings.Repeat(string(b), n)), nil
	case '"', '\'':
		s, err := p.quoted(first)
		if err != nil || first == '\'' {
			return []byte(s), err
		}
		if len(s) > 65535 {
			return nil, fmt.Errorf("a string of %d bytes", len(s))
		}
		return append(binary.BigEndian.AppendUint16(nil, uint16(len(s))), s...), nil
	}
	end := strings.IndexAny(p.rest, " \t\n[]()\"'")
	if end < 0 {
		end = len(p.rest)
	}
	b, err := hex.DecodeString(p.rest[:end])
	if err != nil || end == 0 {
		return nil, fmt.Errorf("no word")
	}
	p.rest = p.rest[end:]
	return b, nil
}

// times reads *N.
func (p *parser) times() (int, error) {
	digits, ok := strings.CutPrefix(p.rest, "*")
	end := 0
	for end < len(digits) && digits[end] >= '0' && digits[end] <= '9' {
		end++
	}
	if !ok || end == 0 {
		return 0, fmt.Errorf("no count")
	}
	p.rest = digits[end:]
	return strconv.Atoi(digits[:end])
}

// repeated is a part of a string that is repeated.
var repeated = regexp.MustCompile(`\{([^{}]*)\*(\d+)\}`)

// quoted reads a string in quotes.
func (p *parser) quoted(quote byte) (string, error) {
	end := 1
	for end < len(p.rest) && p.rest[end] != quote {
		if p.rest[end] == '\\' {
			end++
		}
		end++
	}
	if end >= len(p.rest) {
		return "", fmt.Errorf("the quote is not closed")
	}
	inside := p.rest[1:end]
	p.rest = p.rest[end+1:]
	inside = repeated.ReplaceAllStringFunc(inside, func(s string) string {
		m := repeated.FindStringSubmatch(s)
		n, _ := strconv.Atoi(m[2]) // digits; too many of them are 0
		if n > maxSize {
			n = 0
		}
		return strings.Repeat(m[1], n)
	})
	if quote == '\'' {
		inside = strings.NewReplacer(`"`, `\"`, `\'`, `'`).Replace(inside)
	}
	return strconv.Unquote(`"` + inside + `"`)
}
