package sasl

import (
	"bytes"
	"context"
	"errors"
)

// MaxBearer bounds a bearer token, in bytes. Access tokens with hundreds of groups have some 30 KiB.
const MaxBearer = 128 << 10

// Tokens judges bearer tokens (RFC 6750). It is safe for concurrent use.
type Tokens interface {
	// Verify says whose a token is. It may wait for its issuer until ctx ends. Exactly one of the results is nil; the
	// refusal says nothing of the token but what its sender wrote into its header and claims.
	Verify(ctx context.Context, token string, peer Peer) (*Principal, *Reject)
	// Check reports whether the token that proved a principal is still good by what is known now: nil, [ErrExpired] or
	// [ErrRevoked]. It does not wait.
	Check(*Principal) error
	// Refresh asks the issuer again where that is due, until ctx ends. Check knows the answer.
	Refresh(ctx context.Context, p *Principal)
}

// IsJWT reports whether a value is meant as a JSON Web Token: it begins with an object in base64url, and has two dots or
// more. Where tokens and passwords come on one road, such a value is only ever tried as a token, any other never.
func IsJWT(value []byte) bool {
	return len(value) > 1 && value[0] == 'e' && value[1] >= 'w' && value[1] <= 'z' && bytes.Count(value, []byte{'.'}) >= 2
}

// ErrNoTokens is why [NoTokens] checks nothing.
var ErrNoTokens = errors.New("the settings name no issuer of tokens")

// NoTokens accepts no token.
type NoTokens struct{}

// Verify refuses every token.
func (NoTokens) Verify(context.Context, string, Peer) (*Principal, *Reject) {
	return nil, newReject(CodeUnknownIssuer, "", "%v", ErrNoTokens)
}

// Check knows no token.
func (NoTokens) Check(*Principal) error { return ErrRevoked }

// Refresh has nobody to ask.
func (NoTokens) Refresh(context.Context, *Principal) {}

// Bearer judges a token that came by whatever road: in OAUTHBEARER, as an MQTT password, in an HTTP header. Mechanism
// names the road in the principal and in the audit record. The step is always done; a refusal has no public text, which
// is the road's to choose.
func Bearer(ctx context.Context, tokens Tokens, mechanism, token string, peer Peer) Step {
	if len(token) > MaxBearer {
		return refuse(CodeTooLarge, "", "a bearer token of %d bytes", len(token)).by(mechanism, "")
	}
	if !IsBearer(token) {
		return refuse(CodeMalformed, "", "a bearer token that is empty, or has characters that none has").by(mechanism, "")
	}
	p, reject := tokens.Verify(ctx, token, peer)
	switch {
	case reject != nil:
		return Step{Reject: reject}.by(mechanism, reject.Claimed)
	case p == nil:
		return refuse(CodeDirectoryFailure, "", "the judge of tokens answered nothing").by(mechanism, "")
	}
	p.Mechanism, p.Kind = mechanism, KindToken
	return Step{Principal: p}
}
