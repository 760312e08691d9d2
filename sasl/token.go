package sasl

import (
	"fmt"
	"io"
)

// Token is a bearer token that proved a principal, kept to be passed on. It prints as what it is not: a secret. It knows
// the server it was shown to, and is passed on behind no other.
type Token struct {
	server, text string
	exchanged    bool // it is not the one that was shown
}

// For is the token that this one was exchanged for. It is passed on behind the same server.
func (t *Token) For(text string) *Token {
	return &Token{server: t.server, text: text, exchanged: true}
}

// Exchanged reports whether the token came from its issuer in exchange for the client's.
func (t *Token) Exchanged() bool { return t.exchanged }

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
