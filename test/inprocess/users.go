package inprocess

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"hash"
	"testing"

	"crypto/hmac"

	"github.com/asyncgate/asyncgate/sasl"
)

// iterations of every user's verifiers: the least that is allowed.
const iterations = 4096

// Users is a directory of users in memory: for each a password, both verifiers, and a certificate of that common name.
type Users struct {
	entries map[string]map[sasl.Hash]*sasl.ScramEntry
}

// NewUsers makes a directory of users whose passwords are their names and "-secret".
func NewUsers(t testing.TB, names ...string) *Users {
	t.Helper()
	u := &Users{entries: map[string]map[sasl.Hash]*sasl.ScramEntry{}}
	for _, name := range names {
		u.entries[name] = map[sasl.Hash]*sasl.ScramEntry{
			sasl.SHA256: verifier(t, name, sha256.New),
			sasl.SHA512: verifier(t, name, sha512.New),
		}
	}
	return u
}

// Password is the password of a user.
func Password(user string) string { return user + "-secret" }

// verifier derives what a server keeps of a password (RFC 5802 section 3).
func verifier(t testing.TB, name string, h func() hash.Hash) *sasl.ScramEntry {
	t.Helper()
	salt := []byte("salt of " + name + ", 24 bytes")[:16]
	salted, err := pbkdf2.Key(h, Password(name), salt, iterations, h().Size())
	if err != nil {
		t.Fatal(err)
	}
	sum := func(text string) []byte {
		m := hmac.New(h, salted)
		m.Write([]byte(text))
		return m.Sum(nil)
	}
	stored := h()
	stored.Write(sum("Client Key"))
	return &sasl.ScramEntry{
		Account: sasl.Account{Name: name, Credential: "user:" + name}, Salt: salt, Iterations: iterations,
		Keys: []sasl.ScramKeys{{StoredKey: stored.Sum(nil), ServerKey: sum("Server Key")}},
	}
}

// Scram is of [sasl.Directory], like all methods.
func (u *Users) Scram(user string, h sasl.Hash) (*sasl.ScramEntry, error) {
	if e := u.entries[user][h]; e != nil {
		return e, nil
	}
	return nil, sasl.ErrUnknown
}

// Key knows no API keys.
func (u *Users) Key(string) (*sasl.Account, error) { return nil, sasl.ErrUnknown }

// Certificate knows users by the common name.
func (u *Users) Certificate(c *x509.Certificate) (*sasl.Account, error) {
	if u.entries[c.Subject.CommonName] == nil {
		return nil, sasl.ErrUnknown
	}
	return &sasl.Account{Name: c.Subject.CommonName, Credential: "certificate:" + c.Subject.CommonName}, nil
}

// Check finds every credential valid.
func (u *Users) Check(*sasl.Principal) error { return nil }

// Iterations is the same for all.
func (u *Users) Iterations(sasl.Hash) int { return iterations }
