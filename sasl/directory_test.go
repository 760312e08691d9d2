package sasl

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/x509"
	"fmt"
	"sync"
	"testing"
	"time"
)

// book is a directory of a few people.
type book struct {
	users map[string]map[Hash]*ScramEntry
	ended map[string]error // users that exist and must not log in
	keys  map[string]*Account
	certs map[string]*Account // by common name
}

func (b *book) Scram(user string, h Hash) (*ScramEntry, error) {
	entry := b.users[user][h]
	if entry == nil {
		return nil, ErrUnknown
	}
	return entry, b.ended[user]
}

func (b *book) Key(key string) (*Account, error) {
	account := b.keys[key]
	if account == nil {
		return nil, ErrUnknown
	}
	return account, b.ended[account.Name]
}

func (b *book) Certificate(cert *x509.Certificate) (*Account, error) {
	account := b.certs[cert.Subject.CommonName]
	if account == nil {
		return nil, ErrUnknown
	}
	return account, b.ended[account.Name]
}

func (b *book) Check(*Principal) error { return nil }

func (b *book) Iterations(h Hash) int {
	for _, user := range b.users {
		if user[h] != nil {
			return user[h].Iterations
		}
	}
	return 0
}

func (b *book) dir() Directory { return b }

// Keys of the book.
const (
	goodKey = KeyPrefix + "abcdefghijkl_0123456789012345678901234567890123456789012"
	oldKey  = KeyPrefix + "mnopqrstuvwx_0123456789012345678901234567890123456789012"
	newKey  = KeyPrefix + "ABCDEFGHIJKL_0123456789012345678901234567890123456789012" // well-formed, and nobody's
)

// newBook has alice, "a,b=c" and zoë; carol, whose account has expired; mallory, who was revoked; dora, who has no
// SHA-256 verifier; rita, whose password was rotated. Everybody's password is NAME-secret.
func newBook(t testing.TB) *book {
	t.Helper()
	b := &book{
		users: map[string]map[Hash]*ScramEntry{},
		ended: map[string]error{"carol": ErrExpired, "mallory": ErrRevoked},
		keys: map[string]*Account{
			goodKey: {Name: "billing", Scopes: []string{"read"}, Credential: "key:billing"},
			oldKey:  {Name: "mallory", Credential: "key:mallory"},
		},
		certs: map[string]*Account{"alice": {Name: "alice"}, "carol": {Name: "carol"}},
	}
	for _, name := range []string{"alice", "a,b=c", "zoë", "carol", "mallory", "dora", "rita"} {
		b.users[name] = map[Hash]*ScramEntry{}
		for _, h := range []Hash{SHA256, SHA512} {
			if name == "dora" && h == SHA256 {
				continue
			}
			entry := &ScramEntry{
				Account: Account{Name: name, Scopes: []string{"s"}, Attributes: map[string]string{"a": "v"}, Credential: "user:" + name},
				Salt:    []byte("salt of " + name + string(h) + "................")[:16], Iterations: 4096,
			}
			entry.Keys = []ScramKeys{derive(t, h, name+"-secret", entry.Salt, entry.Iterations)}
			if name == "rita" {
				earlier := derive(t, h, "rita-earlier", entry.Salt, entry.Iterations)
				earlier.Until, earlier.Credential = time.Now().Add(time.Hour), "user:rita#1"
				entry.Keys = append(entry.Keys, earlier)
			}
			b.users[name][h] = entry
		}
	}
	return b
}

// derive follows RFC 5802 section 3.
func derive(t testing.TB, h Hash, password string, salt []byte, iterations int) ScramKeys {
	t.Helper()
	digest := h.new()
	digest.Write(saltedMAC(t, h, password, salt, iterations, "Client Key"))
	return ScramKeys{StoredKey: digest.Sum(nil), ServerKey: saltedMAC(t, h, password, salt, iterations, "Server Key")}
}

func saltedMAC(t testing.TB, h Hash, password string, salt []byte, iterations int, text string) []byte {
	t.Helper()
	id := fmt.Sprintf("%s %q %q %d", h, password, salt, iterations)
	if known, ok := derived.Load(id); ok {
		return mac(h, known.([]byte), text)
	}
	salted, err := pbkdf2.Key(h.new, password, salt, iterations, h.size())
	if err != nil {
		t.Fatal(err)
	}
	derived.Store(id, salted)
	return mac(h, salted, text)
}

// derived keeps salted passwords: every test has the same people.
var derived sync.Map

func mac(h Hash, key []byte, text string) []byte {
	m := hmac.New(h.new, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}
