package sasl

import (
	"bytes"
	"context"
	"fmt"
)

// publicToken is what a client is told of a token that was refused, whatever the reason (RFC 7628 section 3.2.2): word
// for word what a Kafka broker says.
const publicToken = `{"status":"invalid_token"}` // #nosec G101 -- words about a secret

// publicTokenAuthzID is a Kafka broker's text, too. It names what the client has sent and what its token says.
const publicTokenAuthzID = "Authentication failed: Client requested an authorization id (%s) that is different from the token's principal name (%s)"

// NewOAuthBearer returns OAUTHBEARER (RFC 7628, KIP-255). tokens is asked once for every login.
func NewOAuthBearer(tokens func() Tokens) Mechanism { return &oauthMechanism{tokens: tokens} }

// NewPassingOAuthBearer is the same, and its principals keep their tokens: for a server that passes them on.
func NewPassingOAuthBearer(tokens func() Tokens) Mechanism {
	return &oauthMechanism{tokens: tokens, keep: true}
}

type oauthMechanism struct {
	tokens func() Tokens
	keep   bool
}

func (m *oauthMechanism) Name() string { return OAuthBearer }

func (m *oauthMechanism) Start(peer Peer) Exchange {
	return &oauthExchange{tokens: m.tokens(), peer: peer, keep: m.keep}
}

type oauthExchange struct {
	tokens Tokens
	peer   Peer
	keep   bool
	failed *Reject // the client has been shown an error, and has yet to acknowledge it
	over   bool
}

// Next takes the client's first message, and after a failure its acknowledgement: a single 0x01. Whatever else follows a
// failure is refused with the reason of the failure, another token included: a second guess is another connection.
func (x *oauthExchange) Next(ctx context.Context, in []byte) Step {
	switch {
	case x.failed != nil && !x.over:
		x.over = true
		return Step{Reject: x.failed}
	case x.over:
		return afterEnd(OAuthBearer).by(OAuthBearer, "")
	}
	m, malformed := parseOAuth(in)
	if malformed != nil {
		x.over = true
		return Step{Reject: malformed}.by(OAuthBearer, "")
	}
	step := Bearer(ctx, x.tokens, OAuthBearer, m.token, x.peer)
	if step.Reject != nil {
		step.Reject.Public = publicToken
		x.failed = step.Reject
		return Step{Out: []byte(publicToken), Failed: x.failed}
	}
	x.over = true
	if name := step.Principal.Name; m.authzID != "" && m.authzID != name {
		return refuse(CodeAuthzID, fmt.Sprintf(publicTokenAuthzID, m.authzID, name),
			"the token of %s asks to act as %s", quote(name), quote(m.authzID)).by(OAuthBearer, name)
	}
	if x.keep {
		step.Principal.Token = &Token{server: x.peer.Server, text: m.token}
	}
	return step
}

// oauthMessage is the client's first message. Its extensions (KIP-342) are read for their form and dropped: a client
// says in them what it likes, and nothing vouches for it.
type oauthMessage struct {
	authzID string
	token   string
}

// Bounds of what a first message has beside its token.
const (
	maxOAuthMessage    = MaxBearer + 8<<10
	maxOAuthExtensions = 32
)

const oauthSeparator = 0x01

// parseOAuth reads "n,[a=AUTHZID],^A(KEY=VALUE^A)*^A" (RFC 7628 section 3.1), as strictly as a Kafka broker does. One key
// is auth; its value is "Bearer TOKEN".
func parseOAuth(in []byte) (oauthMessage, *Reject) {
	var m oauthMessage
	malformed := func(format string, args ...any) (oauthMessage, *Reject) {
		return oauthMessage{}, newReject(CodeMalformed, publicInvalid(OAuthBearer), format, args...)
	}
	if len(in) > maxOAuthMessage {
		return m, newReject(CodeTooLarge, publicInvalid(OAuthBearer), "a message of %d bytes", len(in))
	}
	header, rest, ok := bytes.Cut(in, []byte{oauthSeparator})
	if !ok {
		return malformed("no separator after the header")
	}
	if m.authzID, ok = parseGS2(header); !ok {
		return malformed("a header that is not n,a=USER, or n,,")
	}
	seen := map[string]bool{}
	for len(rest) > 0 && rest[0] != oauthSeparator {
		var pair []byte
		if pair, rest, ok = bytes.Cut(rest, []byte{oauthSeparator}); !ok {
			return malformed("a key without an end")
		}
		key, value, ok := bytes.Cut(pair, []byte{'='})
		switch {
		case !ok || !oauthKey(key) || !oauthValue(value):
			return malformed("what is no key with a value")
		case seen[string(key)]:
			return malformed("key %s twice", quote(string(key)))
		case len(seen) == maxOAuthExtensions:
			return malformed("more than %d keys", maxOAuthExtensions)
		case string(key) == "auth":
			var refused *Reject
			if m.token, refused = bearerOf(value); refused != nil {
				return m, refused
			}
		}
		seen[string(key)] = true
	}
	switch {
	case len(rest) != 1:
		return malformed("no separator at the end, or something after it")
	case !seen["auth"]:
		return malformed("no auth in it")
	}
	return m, nil
}

// parseGS2 reads the header before the first separator. Channel binding is never offered with a token.
func parseGS2(header []byte) (authzID string, ok bool) {
	rest, ok := bytes.CutPrefix(header, []byte("n,"))
	if !ok {
		return "", false
	}
	name, ok := bytes.CutSuffix(rest, []byte(","))
	if !ok || len(name) == 0 {
		return "", ok
	}
	name, ok = bytes.CutPrefix(name, []byte("a="))
	if !ok || len(name) == 0 || len(name) > 4*maxUser || !oauthValue(name) || bytes.IndexByte(name, ',') >= 0 {
		return "", false
	}
	plain := bytes.ReplaceAll(bytes.ReplaceAll(name, []byte("=2C"), []byte(",")), []byte("=3D"), []byte("\x00"))
	if bytes.IndexByte(plain, '=') >= 0 {
		return "", false
	}
	return string(bytes.ReplaceAll(plain, []byte("\x00"), []byte("="))), true
}

// bearerOf takes the token out of "Bearer TOKEN" (RFC 6750 section 2.1). Another scheme ends the connection without an
// answer, as with a broker.
func bearerOf(value []byte) (string, *Reject) {
	scheme, token, ok := bytes.Cut(value, []byte{' '})
	token = bytes.TrimLeft(token, " ")
	if !ok || !IsBearer(string(token)) {
		return "", newReject(CodeMalformed, publicInvalid(OAuthBearer), "an authorization without a scheme, or with characters that no token has")
	}
	if !bytes.EqualFold(scheme, []byte("bearer")) {
		return "", newReject(CodeMalformed, "", "an authorization that is not a bearer's")
	}
	return string(token), nil
}

// IsBearer reports whether a text has the form of a bearer token: 1*( ALPHA / DIGIT / "-._~+/" ) *"=" (RFC 6750 section
// 2.1).
func IsBearer(token string) bool {
	body := len(token)
	for body > 0 && token[body-1] == '=' {
		body--
	}
	for i := range body {
		switch c := token[i]; {
		case c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z':
		case c == '-', c == '.', c == '_', c == '~', c == '+', c == '/':
		default:
			return false
		}
	}
	return body > 0
}

// oauthKey reports whether a key is made of letters.
func oauthKey(key []byte) bool {
	for _, c := range key {
		if (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return len(key) > 0
}

// oauthValue reports whether a value is made of the characters that RFC 7628 allows.
func oauthValue(value []byte) bool {
	for _, c := range value {
		if (c < ' ' || c > '~') && c != '\t' && c != '\r' && c != '\n' {
			return false
		}
	}
	return len(value) > 0
}
