package credentials

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/asyncgate/asyncgate/sasl"
)

// Version is the version of the format that this package writes, and the only one it reads.
const Version = 1

// File is the contents of a credentials file, in its order.
type File struct {
	Users        []*User
	Keys         []*Key
	Certificates []*Certificate
}

// Entry is what every credential has. A name may stand in several kinds: it is one principal with several ways in.
type Entry struct {
	Name       string
	Scopes     []string
	Attributes map[string]string
	Since      time.Time // when the current password, key or rule was set
	Expires    time.Time // zero: never
	Revoked    time.Time // zero: not. A revoked entry keeps its name for the audit log, and nothing secret

	line int // in the file it was read from
}

// Active reports whether the entry can log somebody in at a moment.
func (e *Entry) Active(now time.Time) bool { return e.state(now) == nil }

func (e *Entry) state(now time.Time) error {
	switch {
	case !e.Revoked.IsZero():
		return fmt.Errorf("%w %s", sasl.ErrRevoked, e.Revoked.UTC().Format(time.RFC3339))
	case !e.Expires.IsZero() && !now.Before(e.Expires):
		return fmt.Errorf("%w %s", sasl.ErrExpired, e.Expires.UTC().Format(time.RFC3339))
	}
	return nil
}

// User is a principal with a password.
type User struct {
	Entry
	Verifiers []Verifier // at most one for each hash
	Previous  []Password // newest first
}

// Password is an earlier password of a user, good until a moment.
type Password struct {
	Since, Until time.Time
	Verifiers    []Verifier // of hashes, salts and iteration counts that the current password has too
}

// Key is a principal with an API key.
type Key struct {
	Entry
	Digest
	Previous []OldKey // newest first
}

// Digest is what is kept of an API key.
type Digest struct {
	ID   string // the public part of the key, by which it is looked up
	Hash []byte // SHA-256 of the whole key
}

// OldKey is an earlier key of a principal, good until a moment.
type OldKey struct {
	Digest
	Since, Until time.Time
}

// Certificate is a principal with client certificates.
type Certificate struct {
	Entry
	Match []Rule // a certificate needs to meet one of them
}

// maxName is the longest name, in characters: PostgreSQL and Kafka stay far below.
const maxName = 255

// CheckName says what is wrong with a name.
func CheckName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("a name cannot be empty")
	case !utf8.ValidString(name):
		return fmt.Errorf("a name has to be UTF-8")
	case utf8.RuneCountInString(name) > maxName:
		return fmt.Errorf("a name has at most %d characters", maxName)
	case strings.HasPrefix(name, sasl.KeyPrefix):
		return fmt.Errorf("a name cannot begin with %s, as API keys do", sasl.KeyPrefix)
	case strings.TrimSpace(name) != name:
		return fmt.Errorf("a name cannot begin or end with a space")
	case strings.EqualFold(name, anonymous):
		return fmt.Errorf("the name %s means a client that did not log in", anonymous)
	case strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return fmt.Errorf("a name cannot have control or invisible characters")
	}
	return nil
}

// anonymous is the principal of clients that do not log in, at brokers as at the gateway.
const anonymous = "ANONYMOUS"
