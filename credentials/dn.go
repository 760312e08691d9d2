package credentials

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// distinguished is a distinguished name in the order of RFC 2253: what is most specific first. One of its parts has
// several attributes where a certificate joins them with +.
type distinguished [][]attribute

type attribute struct{ oid, value string }

const oidCN = "2.5.4.3"

// attributeTypes are the names of RFC 4514 section 3, and two that OpenSSL prints.
var attributeTypes = map[string]string{
	"CN": oidCN, "SERIALNUMBER": "2.5.4.5", "C": "2.5.4.6", "L": "2.5.4.7", "ST": "2.5.4.8", "STREET": "2.5.4.9",
	"O": "2.5.4.10", "OU": "2.5.4.11", "UID": "0.9.2342.19200300.100.1.1", "DC": "0.9.2342.19200300.100.1.25",
	"EMAILADDRESS": "1.2.840.113549.1.9.1",
}

// parseDN reads the text of RFC 4514. Spaces around separators are ignored, as OpenSSL prints them. Quoted values and
// values in hexadecimal, which the older RFC 2253 knew, are refused.
func parseDN(text string) (distinguished, error) {
	var name distinguished
	var part []attribute
	for rest := text; ; {
		a, separator, after, err := parseAttribute(rest)
		if err != nil {
			return nil, err
		}
		if part = append(part, a); separator != '+' {
			name, part = append(name, part), nil
		}
		if separator == 0 {
			return name, nil
		}
		rest = after
	}
}

// parseAttribute reads one TYPE=VALUE and the separator after it: a comma, a plus, or 0 at the end.
func parseAttribute(text string) (a attribute, separator byte, rest string, err error) {
	kind, text, ok := strings.Cut(text, "=")
	if !ok {
		return a, 0, "", errors.New("an attribute of a distinguished name is written TYPE=VALUE")
	}
	kind = strings.TrimSpace(kind)
	if a.oid = attributeTypes[strings.ToUpper(kind)]; a.oid == "" {
		if !isOID(kind) {
			return a, 0, "", fmt.Errorf("unknown attribute type %q in a distinguished name", kind)
		}
		a.oid = kind
	}
	text = strings.TrimLeft(text, " ")
	var value strings.Builder
	kept := 0 // bytes of value up to the last that is not an unescaped space
	i := 0
	for ; i < len(text) && text[i] != ',' && text[i] != '+'; i++ {
		switch c := text[i]; {
		case c == '\\':
			escaped, n, err := unescapeDN(text[i+1:])
			if err != nil {
				return a, 0, "", err
			}
			value.WriteByte(escaped)
			i += n
			kept = value.Len()
		case strings.IndexByte(`"<>;=`, c) >= 0, c == '#' && value.Len() == 0:
			return a, 0, "", fmt.Errorf("%q stands without a backslash in a distinguished name", c)
		default:
			value.WriteByte(c)
			if c != ' ' {
				kept = value.Len()
			}
		}
	}
	a.value = value.String()[:kept]
	if a.value == "" || !utf8.ValidString(a.value) || hasControl(a.value) {
		return a, 0, "", fmt.Errorf("the value of %s in a distinguished name is empty, or not text", kind)
	}
	if i == len(text) {
		return a, 0, "", nil
	}
	return a, text[i], text[i+1:], nil
}

// unescapeDN reads what follows a backslash: a special character, or two hexadecimal digits.
func unescapeDN(text string) (c byte, n int, err error) {
	if text != "" && strings.IndexByte(`"+,;<>=# \`, text[0]) >= 0 {
		return text[0], 1, nil
	}
	if len(text) >= 2 {
		if b, err := hex.DecodeString(text[:2]); err == nil {
			return b[0], 2, nil
		}
	}
	return 0, 0, errors.New("a backslash in a distinguished name escapes a special character or two hexadecimal digits")
}

func escapeDN(value string) string {
	var b strings.Builder
	for i := range len(value) {
		c := value[i]
		edge := i == 0 && (c == ' ' || c == '#') || i == len(value)-1 && c == ' '
		if edge || strings.IndexByte(`"+,;<>=\`, c) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	}
	return b.String()
}

// String is the text of RFC 4514.
func (d distinguished) String() string {
	var parts []string
	for _, part := range d {
		var attributes []string
		for _, a := range part {
			attributes = append(attributes, typeName(a.oid)+"="+escapeDN(a.value))
		}
		parts = append(parts, strings.Join(attributes, "+"))
	}
	return strings.Join(parts, ",")
}

// canonical is equal for equal names. The attributes of one part have no order among themselves.
func (d distinguished) canonical() string {
	var b strings.Builder
	for _, part := range d {
		var attributes []string
		for _, a := range part {
			attributes = append(attributes, a.oid+"="+strconv.Quote(a.value))
		}
		slices.Sort(attributes)
		b.WriteString(strings.Join(attributes, "+") + ",")
	}
	return b.String()
}

func typeName(oid string) string {
	for name, known := range attributeTypes {
		if known == oid {
			return name
		}
	}
	return oid
}

func isOID(s string) bool {
	numbers := strings.Split(s, ".")
	for _, n := range numbers {
		if _, err := strconv.ParseUint(n, 10, 32); err != nil {
			return false
		}
	}
	return len(numbers) > 1
}
