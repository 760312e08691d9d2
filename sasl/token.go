package sasl

import (
	"fmt"
	"io"
)

// Token is a bearer token that proved a principal, kept to be passed on. It prints as what it is not: a secret. It knows
// the server it was shown to, and is passed on behind no other.
type Token struct{ server, text string }

// Reveal is the token for a login behind a server of the document; false: it was shown to another.
func (t *Token) Reveal(server string) (string, bool) {
	if t == nil || t.server != server {
		return "", false
	}
	return t.text, true
}

// Format keeps the token out of every log, whatever the verb.
func (*Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "bearer token") }

// MarshalText is Format for encoders.
func (*Token) MarshalText() ([]byte, error) { return []byte("bearer token"), nil }
