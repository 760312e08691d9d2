package sasl

import (
	"bytes"
	"context"
	"unicode/utf8"
)

// Passwords checks user names and passwords that come without SASL: in MQTT's CONNECT, where a password is bytes and may
// come without a user name, or with HTTP Basic. They are the same users and keys as those of PLAIN.
type Passwords struct {
	options PlainOptions
	dir     func() Directory
}

// NewPasswords returns the verifier of a server. dir is asked once for every login.
func NewPasswords(options PlainOptions, dir func() Directory) *Passwords {
	return &Passwords{options: options, dir: dir}
}

// Verify decides on a login. The name is that of the road on which it came, [Password] or [Basic], and becomes the
// principal's mechanism. User or password may be empty: an API key needs no company.
func (p *Passwords) Verify(ctx context.Context, name, user string, password []byte) Step {
	return p.verify(ctx, user, password).on(name).by(name, user)
}

func (p *Passwords) verify(ctx context.Context, user string, password []byte) Step {
	key := p.options.KeyInUser && IsKey(user) || p.options.KeyInPassword && IsKey(string(password))
	switch {
	case user == "" && !key:
		return refuse(CodeMalformed, publicNoUser, "no user name")
	case len(password) == 0 && !key:
		return refuse(CodeMalformed, publicNoPassword, "no password")
	case bytes.HasSuffix(password, []byte{0}): // HMAC fills keys up with zero bytes: the password without them would do too
		return refuse(CodeMalformed, publicPlain, "a password that ends with a zero byte")
	case utf8.RuneCountInString(user) > maxUser:
		return refuse(CodeTooLarge, publicPlain, "a user name of more than %d characters", maxUser)
	case len(password) > maxPassword:
		return refuse(CodeTooLarge, publicPlain, "a password of %d bytes", len(password))
	}
	return passwords{options: p.options, dir: p.dir()}.verify(ctx, user, password)
}

// KeyPlace names a place of a key in an HTTP request, as [Principal.In] does. In is "header", "query" or "cookie".
func KeyPlace(in, name string) string { return in + " " + name }

// VerifyKey decides on an API key that came alone, on the road [HTTPKey].
func VerifyKey(dir Directory, place, key string) Step {
	if !IsKey(key) {
		return refuse(CodeKeyRequired, publicPlain, "no API key in the %s, and the server takes nothing else there", place).by(HTTPKey, "")
	}
	return passwords{dir: dir}.key(key, place, "").on(HTTPKey).by(HTTPKey, "")
}

// on names the mechanism of who was proved.
func (s Step) on(mechanism string) Step {
	if s.Principal != nil {
		s.Principal.Mechanism = mechanism
	}
	return s
}
