package sasl

import (
	"crypto/x509"
	"errors"
	"slices"
	"time"
)

// Why a directory does not know a credential. The client is told none of these apart.
var (
	ErrUnknown = errors.New("unknown")
	ErrExpired = errors.New("expired")
	ErrRevoked = errors.New("revoked")
)

// Directory looks credentials up. It is safe for concurrent use, and each call sees one consistent state of the store.
//
// Every look-up answers ErrUnknown, ErrExpired or ErrRevoked (possibly wrapped) if there is no valid credential. With
// the latter two it returns the account too, so that the audit record can name it.
type Directory interface {
	// Scram returns the verifiers of a user for one hash.
	Scram(user string, hash Hash) (*ScramEntry, error)
	// Key returns the account an API key belongs to.
	Key(key string) (*Account, error)
	// Certificate returns the account of a verified client certificate.
	Certificate(*x509.Certificate) (*Account, error)
	// Check reports whether the credential that proved a principal is still valid: nil, ErrExpired or ErrRevoked.
	Check(*Principal) error
	// Iterations is the commonest iteration count among the verifiers of a hash; decoys use it. 0: there are none.
	Iterations(Hash) int
}

// Account is one credential's owner and what comes with it.
type Account struct {
	Name       string
	Scopes     []string
	Attributes map[string]string
	Expires    time.Time // zero: never
	Credential string    // see Principal.Credential
}

// Hash is the hash function of a SCRAM mechanism.
type Hash string

// The hashes of the two mechanisms.
const (
	SHA256 Hash = "SHA-256"
	SHA512 Hash = "SHA-512"
)

// ScramEntry is a user's account with its verifiers of one hash.
type ScramEntry struct {
	Account
	Salt       []byte
	Iterations int
	Keys       []ScramKeys // newest first; more than one while a rotated password is kept
}

// ScramKeys is the pair that proves one password (RFC 5802 section 3). All pairs of an entry share salt and iterations.
type ScramKeys struct {
	StoredKey  []byte
	ServerKey  []byte
	Until      time.Time // when this password ends before the account does; zero: with the account
	Credential string    // of a password with an identity of its own; empty: the account's
}

// At returns the entry without the keys that have ended at a moment; the entry itself if there are none.
func (e *ScramEntry) At(now time.Time) *ScramEntry {
	ended := func(k ScramKeys) bool { return !k.Until.IsZero() && !now.Before(k.Until) }
	if !slices.ContainsFunc(e.Keys, ended) {
		return e
	}
	live := *e
	live.Keys = slices.DeleteFunc(slices.Clone(e.Keys), ended)
	return &live
}

// principal is who a pair of keys proved.
func (e *ScramEntry) principal(keys ScramKeys, mechanism string) *Principal {
	p := e.Account.principal(mechanism, KindUser)
	p.Expires = earliest(p.Expires, keys.Until)
	if keys.Credential != "" {
		p.Credential = keys.Credential
	}
	return p
}

func (a *Account) principal(mechanism string, kind Kind) *Principal {
	return &Principal{
		Name: a.Name, Mechanism: mechanism, Kind: kind,
		Scopes: a.Scopes, Attributes: a.Attributes, Expires: a.Expires, Credential: a.Credential,
	}
}
