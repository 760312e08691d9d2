package sasl

import (
	"encoding/base64"
	"errors"
	"strings"
	"unicode/utf8"
)

// Bounds of what a client may send before it is known.
const (
	maxScramToken = 4 << 10 // one SCRAM message, in bytes; the longest user name with a nonce takes a third of it
	maxUser       = 255     // characters of a user name
	maxNonce      = 256     // bytes of a client's nonce; known clients send 18 to 32
)

// clientFirst is the first message of a client (RFC 5802 section 7), after every check that needs no credential.
type clientFirst struct {
	gs2   string // with both commas
	authz string // empty: none
	user  string
	nonce string
}

// clientFinal is the second.
type clientFinal struct {
	binding string // base64, as it came
	nonce   string
	proof   []byte
}

// scramError is a message that is refused, with the code that says why.
type scramError struct{ code, reason string }

func (e *scramError) Error() string { return e.reason }

func malformed(reason string) error { return &scramError{CodeMalformed, reason} }

// parseClientFirst reads "n,[a=AUTHZ],n=USER,r=NONCE[,NAME=VALUE]…". It is stricter than the RFC where a broker is
// (no channel-binding flag but n), and where laxity helps only an attacker (an attribute twice).
func parseClientFirst(token []byte) (m clientFirst, err error) {
	fields, err := splitMessage(token)
	if err != nil {
		return m, err
	}
	if len(fields) < 4 {
		return m, malformed("first message: fewer than four fields")
	}
	switch flag := fields[0]; {
	case flag == "n":
	case flag == "y", strings.HasPrefix(flag, "p="):
		return m, &scramError{CodeChannelBinding, "first message: channel binding is not offered, and the client's flag is " + quote(flag)}
	default:
		return m, malformed("first message: the channel binding flag is " + quote(flag))
	}
	m.gs2 = fields[0] + "," + fields[1] + ","
	if fields[1] != "" {
		if m.authz, err = nameField(fields[1], "a="); err != nil {
			return m, err
		}
	}
	if strings.HasPrefix(fields[2], "m=") {
		return m, &scramError{CodeExtension, "first message: a mandatory extension, and none is supported"}
	}
	if m.user, err = nameField(fields[2], "n="); err != nil {
		return m, err
	}
	nonce, ok := strings.CutPrefix(fields[3], "r=")
	if !ok || !printable(nonce) || len(nonce) > maxNonce {
		return m, malformed("first message: the nonce is missing, empty, too long or not printable ASCII")
	}
	m.nonce = nonce
	return m, parseExtensions(fields[4:])
}

// parseClientFinal reads "c=BINDING,r=NONCE[,NAME=VALUE]…,p=PROOF".
func parseClientFinal(token []byte) (m clientFinal, err error) {
	fields, err := splitMessage(token)
	if err != nil {
		return m, err
	}
	if len(fields) < 3 {
		return m, malformed("final message: fewer than three fields")
	}
	last := len(fields) - 1
	var isBinding, isNonce, isProof bool
	m.binding, isBinding = strings.CutPrefix(fields[0], "c=")
	m.nonce, isNonce = strings.CutPrefix(fields[1], "r=")
	proof, isProof := strings.CutPrefix(fields[last], "p=")
	if !isBinding || !isNonce || !isProof {
		return m, malformed("final message: c=, r= and p= are not where they belong")
	}
	if m.proof, err = decodeBase64(proof); err != nil {
		return m, malformed("final message: the proof is not base64")
	}
	return m, parseExtensions(fields[2:last])
}

func splitMessage(token []byte) ([]string, error) {
	switch {
	case len(token) > maxScramToken:
		return nil, &scramError{CodeTooLarge, "a message of more than 4 KiB"}
	case !utf8.Valid(token):
		return nil, malformed("a message that is not UTF-8")
	}
	text := string(token)
	if strings.IndexByte(text, 0) >= 0 {
		return nil, malformed("a message with a NUL")
	}
	return strings.Split(text, ","), nil
}

// parseExtensions checks what follows the known fields. Unknown extensions are ignored, as RFC 5802 section 5.1 wants;
// Kafka's tokenauth is not one of them: ignored, it would turn the login of a delegation token into that of a user.
func parseExtensions(fields []string) error {
	for i, field := range fields {
		name, value, ok := strings.Cut(field, "=")
		if !ok || !letters(name) || value == "" {
			return malformed("an extension that is not NAME=VALUE")
		}
		if len(name) == 1 && strings.Contains("aceimnprsv", name) {
			return malformed("the field " + name + "= twice, or where it does not belong")
		}
		for _, other := range fields[:i] {
			if strings.HasPrefix(other, name+"=") {
				return malformed("the extension " + quote(name) + " twice")
			}
		}
		if name == "tokenauth" && !strings.EqualFold(value, "false") {
			return &scramError{CodeDelegationToken, "the login of a Kafka delegation token (tokenauth), which is the broker's own to check"}
		}
	}
	return nil
}

// nameField reads a saslname: =2C is a comma, =3D an equals sign, and no other = may stand in it.
func nameField(field, prefix string) (string, error) {
	raw, ok := strings.CutPrefix(field, prefix)
	if !ok {
		return "", malformed("first message: no " + prefix + " where it belongs")
	}
	var b strings.Builder
	for {
		before, after, escaped := strings.Cut(raw, "=")
		b.WriteString(before)
		if !escaped {
			break
		}
		switch {
		case strings.HasPrefix(after, "2C"):
			b.WriteByte(',')
		case strings.HasPrefix(after, "3D"):
			b.WriteByte('=')
		default:
			return "", malformed("first message: = stands alone in " + prefix)
		}
		raw = after[2:]
	}
	name := b.String()
	if name == "" || utf8.RuneCountInString(name) > maxUser {
		return "", malformed("first message: " + prefix + " is empty, or has more than 255 characters")
	}
	return name, nil
}

var errBase64 = errors.New("not base64")

// decodeBase64 takes one spelling of every value: padded, without line breaks, and with no stray bits at the end.
func decodeBase64(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") { // which encoding/base64 skips
		return nil, errBase64
	}
	return base64.StdEncoding.Strict().DecodeString(s)
}

// printable reports whether s is RFC 5802's "printable": at least one character, ASCII without space and comma.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] < 0x21 || s[i] > 0x7e || s[i] == ',' {
			return false
		}
	}
	return s != ""
}

func letters(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; c < 'a' || c > 'z' {
			return false
		}
	}
	return s != ""
}
