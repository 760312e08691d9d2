package sasl

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"

	"github.com/xdg-go/scram"
)

// NewScram returns SCRAM-SHA-256 or SCRAM-SHA-512 (RFC 5802, RFC 7677), without channel binding.
//
// dir is asked once for every login, so that a reload takes effect at the next one. decoy keys the salts that unknown
// users are answered with; it must be the same on all instances behind one address, and empty means random.
//
// User names and passwords are taken as they come: Kafka does not apply SASLprep either. Every refusal but that of a
// wrong authorization id has the same public text, and a stranger's login goes as far as a user's.
func NewScram(hash Hash, dir func() Directory, decoy []byte) Mechanism {
	return &scramMechanism{hash: hash, dir: dir, decoys: newDecoys(decoy, hash), nonce: newNonce}
}

type scramMechanism struct {
	hash   Hash
	dir    func() Directory
	decoys decoys
	nonce  func() string
}

// newNonce is the server's part of a nonce: 144 random bits.
func newNonce() string {
	random := make([]byte, 18)
	_, _ = rand.Read(random) // never fails (crypto/rand)
	return base64.StdEncoding.EncodeToString(random)
}

func (m *scramMechanism) Name() string { return m.hash.mechanism() }

func (m *scramMechanism) Start(Peer) Exchange {
	return &scramExchange{mechanism: m, dir: m.dir()}
}

// scramExchange is one login. Every message passes our own parser before the library sees it; the library keeps the
// cryptography.
type scramExchange struct {
	mechanism *scramMechanism
	dir       Directory

	next          func(*scramExchange, []byte) Step // nil before the first message
	first         clientFirst
	nonce         string // ours after the client's
	entry         *ScramEntry
	err           error                       // why entry must not log in, though it goes the whole way
	conversations []*scram.ServerConversation // one for each pair of keys of the entry
}

// Next takes a message of the client.
func (x *scramExchange) Next(_ context.Context, in []byte) Step {
	next := x.next
	if next == nil {
		next = (*scramExchange).takeFirst
	}
	x.next = (*scramExchange).over
	step := next(x, in)
	return step.by(x.mechanism.Name(), x.first.user)
}

func (x *scramExchange) over([]byte) Step { return afterEnd(x.mechanism.Name()) }

func (x *scramExchange) takeFirst(in []byte) Step {
	m, err := parseClientFirst(in)
	if err != nil {
		return x.refuseMessage(err)
	}
	if m.authz != "" && m.authz != m.user {
		return refuse(CodeAuthzID, publicAuthzID, "user %s asks to act as %s", quote(m.user), quote(m.authz))
	}
	x.first = m
	x.lookUp()
	own := x.mechanism.nonce()
	x.nonce = m.nonce + own

	var out string
	for _, keys := range x.entry.Keys {
		stored := scram.StoredCredentials{
			KeyFactors: scram.KeyFactors{Salt: string(x.entry.Salt), Iters: x.entry.Iterations},
			StoredKey:  keys.StoredKey, ServerKey: keys.ServerKey,
		}
		server, err := x.mechanism.hash.generator().NewServer(func(string) (scram.StoredCredentials, error) { return stored, nil })
		if err != nil {
			return refuse(CodeDirectoryFailure, x.public(), "%v", err)
		}
		conversation := server.WithNonceGenerator(func() string { return own }).NewConversation()
		if out, err = conversation.Step(string(in)); err != nil {
			return refuse(CodeMalformed, x.public(), "first message: %v", err)
		}
		x.conversations = append(x.conversations, conversation)
	}
	x.next = (*scramExchange).takeFinal
	return Step{Out: []byte(out)}
}

// lookUp finds the verifier, or makes one up. Both are done for everybody.
func (x *scramExchange) lookUp() {
	decoy := x.mechanism.decoys.entry(x.first.user, x.dir)
	x.entry, x.err = x.dir.Scram(x.first.user, x.mechanism.hash)
	if x.entry == nil {
		x.entry = &ScramEntry{}
		if x.err == nil {
			x.err = ErrUnknown
		}
	}
	if len(x.entry.Keys) == 0 {
		if x.err == nil {
			x.err = ErrUnknown
		}
		decoy.Account = x.entry.Account
		x.entry = decoy
	}
}

func (x *scramExchange) takeFinal(in []byte) Step {
	m, err := parseClientFinal(in)
	if err != nil {
		return x.refuseMessage(err)
	}
	user := quote(x.first.user)
	switch {
	case m.binding != base64.StdEncoding.EncodeToString([]byte(x.first.gs2)):
		return refuse(CodeChannelBinding, x.public(), "user %s: the channel binding of the final message is not that of the first", user)
	case m.nonce == x.first.nonce+x.nonce:
		return refuse(CodeDoubledNonce, x.public(),
			"user %s: the client sent its nonce twice, as librdkafka before 2.6.1 does; brokers since Kafka 4 refuse it too: upgrade the client", user)
	case m.nonce != x.nonce:
		return refuse(CodeNonce, x.public(), "user %s: the nonce is not that of this exchange", user)
	case len(m.proof) != x.mechanism.hash.size():
		return refuse(CodeProofLength, x.public(), "user %s: a proof of %d bytes", user, len(m.proof))
	}
	var out string
	proved := -1
	for i, conversation := range x.conversations { // all of them, whichever proves it
		answer, err := conversation.Step(string(in))
		if err == nil && conversation.Valid() && proved < 0 {
			proved, out = i, answer
		}
	}
	if x.err != nil {
		return refuse(codeOf(x.err, CodeUnknownUser), x.public(), "user %s: %v%s", user, x.err, x.aside(proved >= 0))
	}
	if proved < 0 {
		return refuse(CodeWrongPassword, x.public(), "user %s: wrong password", user)
	}
	return Step{Out: []byte(out), Principal: x.entry.principal(x.entry.Keys[proved], x.mechanism.Name())}
}

// aside tells the operator whether somebody whose account has ended still has the password.
func (x *scramExchange) aside(proved bool) string {
	if proved {
		return "; the password was right"
	}
	return ""
}

func (x *scramExchange) refuseMessage(err error) Step {
	code := CodeMalformed
	if e := (*scramError)(nil); errors.As(err, &e) {
		code = e.code
	}
	return refuse(code, x.public(), "%v", err)
}

func (x *scramExchange) public() string { return publicInvalid(x.mechanism.Name()) }

// size is the length of a key, in bytes.
func (h Hash) size() int {
	if h == SHA512 {
		return sha512.Size
	}
	return sha256.Size
}

func (h Hash) generator() scram.HashGeneratorFcn {
	if h == SHA512 {
		return scram.SHA512
	}
	return scram.SHA256
}

func (h Hash) mechanism() string {
	if h == SHA512 {
		return ScramSHA512
	}
	return ScramSHA256
}
