package kafka

import (
	"fmt"
	"time"
)

// SaslAuthenticate, versions 0 to 2: one token of the mechanism (KIP-152). Version 1 adds the session lifetime
// (KIP-368), version 2 is the flexible encoding.
const (
	keySaslAuthenticate        = 36
	maxSaslAuthenticateVersion = 2
)

// parseSaslAuthenticate returns the token of a SaslAuthenticate request.
func parseSaslAuthenticate(version int16, body []byte) (token []byte, ok bool) {
	r := newParser(body)
	if version < 2 {
		token = r.bytes()
	} else {
		token = r.compactBytes()
		r.tags()
	}
	return token, r.ok && len(r.p) == 0
}

// saslAuthenticateAnswer is a SaslAuthenticate response, as a frame. On success the message is empty, not null, as
// brokers write it.
func saslAuthenticateAnswer(version int16, correlation int32, code int16, message string, token []byte, lifetime time.Duration) []byte {
	b := newFrame(32 + len(message) + len(token)).int32(correlation)
	if version < 2 {
		b = b.int16(code).string(message).bytes(token)
	} else {
		b = b.tags().int16(code).compactString(message).compactBytes(token)
	}
	if version >= 1 {
		b = b.int64(lifetime.Milliseconds())
	}
	if version >= 2 {
		b = b.tags()
	}
	return b.finish()
}

// parseSaslAuthenticateAnswer reads a broker's answer in version 1. A refusal is an error; the broker's text stays out of
// it, since it comes from the network.
func parseSaslAuthenticateAnswer(p []byte) (token []byte, lifetime time.Duration, err error) {
	r := newParser(p)
	r.int32() // correlation id
	code := r.int16()
	if r.ok && code != codeNone {
		return nil, 0, fmt.Errorf("the broker refused it (error %d)", code)
	}
	r.next(max(0, int(r.int16()))) // error message: null or empty
	token = r.bytes()
	milliseconds := r.int64()
	if !r.ok || milliseconds < 0 {
		return nil, 0, errStructure
	}
	return token, time.Duration(min(milliseconds, longest)) * time.Millisecond, nil
}

// longest is the longest session that the gateway asks about, in milliseconds: a year. Brokers may grant 2^63.
const longest = 365 * 24 * 3600 * 1000
