package sasl

import (
	"bytes"
	"context"
	"fmt"
	"unicode/utf8"
)

// maxPassword bounds a password, in bytes: beyond it there is no entropy left to add, only work for the gateway.
const maxPassword = 1024

// maxPlain bounds the message of PLAIN: two names at four bytes a character, a password, two NULs.
const maxPlain = 2*4*maxUser + maxPassword + 2

// PlainOptions says what PLAIN may carry. All false refuses everything.
type PlainOptions struct {
	Users         bool // a user name and its password
	KeyInUser     bool // an API key as the user name; any password that is not empty goes with it
	KeyInPassword bool // an API key as the password; the user name is ignored
}

// NewPlain returns PLAIN (RFC 4616). Passwords are checked against the SCRAM verifiers of the directory, of either
// hash; how many are checked at once is bounded over all mechanisms of the process. dir is asked once for every login.
func NewPlain(options PlainOptions, dir func() Directory) Mechanism {
	return &plainMechanism{options: options, dir: dir}
}

type plainMechanism struct {
	options PlainOptions
	dir     func() Directory
}

func (m *plainMechanism) Name() string { return Plain }

func (m *plainMechanism) Start(Peer) Exchange {
	return &plainExchange{passwords: passwords{options: m.options, dir: m.dir()}}
}

type plainExchange struct {
	passwords passwords
	user      string // whom the client names
	over      bool
}

// Next takes the only message of the client: "[AUTHZ] NUL USER NUL PASSWORD".
func (x *plainExchange) Next(ctx context.Context, in []byte) Step {
	step := x.take(ctx, in)
	return step.by(Plain, x.user)
}

func (x *plainExchange) take(ctx context.Context, in []byte) Step {
	if x.over {
		return afterEnd(Plain)
	}
	x.over = true
	if len(in) > maxPlain {
		return refuse(CodeTooLarge, publicPlain, "a message of %d bytes", len(in))
	}
	fields := bytes.SplitN(in, []byte{0}, 4)
	if len(fields) != 3 {
		return refuse(CodeMalformed, fmt.Sprintf(publicPlainFields, len(fields)), "%d fields in place of 3", len(fields))
	}
	if !utf8.Valid(in) {
		return refuse(CodeMalformed, publicPlain, "a message that is not UTF-8")
	}
	authz, user, password := string(fields[0]), string(fields[1]), fields[2]
	x.user = user
	switch {
	case user == "":
		return refuse(CodeMalformed, publicNoUser, "no user name")
	case len(password) == 0:
		return refuse(CodeMalformed, publicNoPassword, "no password")
	case utf8.RuneCountInString(user) > maxUser:
		return refuse(CodeTooLarge, publicPlain, "a user name of more than %d characters", maxUser)
	case len(password) > maxPassword:
		return refuse(CodeTooLarge, publicPlain, "a password of %d bytes", len(password))
	}
	step := x.passwords.verify(ctx, user, password)
	if step.Principal != nil && authz != "" && authz != user {
		return refuse(CodeAuthzID, publicAuthzID, "%s asks to act as %s", quoteUser(user), quoteUser(authz))
	}
	return step
}
