package credentials

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/asyncgate/asyncgate/sasl"
)

// Store answers a gateway's questions about one state of a credentials file. It never changes; every look-up is a hash
// table's. It implements [sasl.Directory].
type Store struct {
	users  map[string]*storedUser
	keys   map[string]*storedKey
	rules  map[string]*storedRule
	valid  map[string]*validity // by sasl.Account.Credential
	shapes map[sasl.Hash]shape  // the commonest
}

var (
	_ sasl.Directory  = (*Store)(nil)
	_ sasl.SaltShaper = (*Store)(nil)
)

type storedUser struct {
	entry *Entry
	scram map[sasl.Hash]*sasl.ScramEntry
	ended *sasl.ScramEntry // without keys, for a hash the user has no verifier of
}

type storedKey struct {
	entry   *Entry
	hash    []byte
	until   time.Time
	account sasl.Account
}

type storedRule struct {
	entry   *Entry
	account sasl.Account
}

// validity is what Check needs of a credential.
type validity struct {
	entry *Entry
	until time.Time // of a kept earlier password or key
}

func newStore(f *File) *Store {
	s := &Store{
		users: make(map[string]*storedUser, len(f.Users)),
		keys:  make(map[string]*storedKey, len(f.Keys)),
		rules: make(map[string]*storedRule, len(f.Certificates)),
		valid: make(map[string]*validity, len(f.Users)+len(f.Keys)+len(f.Certificates)),
	}
	for _, u := range f.Users {
		s.addUser(u)
	}
	for _, k := range f.Keys {
		s.addKey(k)
	}
	for _, c := range f.Certificates {
		s.addCertificate(c)
	}
	s.shapes = commonest(f)
	return s
}

func (s *Store) addUser(u *User) {
	account := u.account(sasl.KindUser, u.Since)
	s.valid[account.Credential] = &validity{entry: &u.Entry}
	stored := &storedUser{entry: &u.Entry, scram: map[sasl.Hash]*sasl.ScramEntry{}, ended: &sasl.ScramEntry{Account: account}}
	for _, v := range u.Verifiers {
		entry := &sasl.ScramEntry{Account: account, Salt: v.Salt, Iterations: v.Iterations,
			Keys: []sasl.ScramKeys{{StoredKey: v.StoredKey, ServerKey: v.ServerKey}}}
		for _, p := range u.Previous {
			id := credential(sasl.KindUser, u.Name, p.Since)
			s.valid[id] = &validity{entry: &u.Entry, until: p.Until}
			for _, old := range p.Verifiers {
				if old.Hash == v.Hash {
					entry.Keys = append(entry.Keys, sasl.ScramKeys{StoredKey: old.StoredKey, ServerKey: old.ServerKey,
						Until: p.Until, Credential: id})
				}
			}
		}
		stored.scram[v.Hash] = entry
	}
	s.users[u.Name] = stored
}

func (s *Store) addKey(k *Key) {
	account := k.account(sasl.KindKey, k.Since)
	s.valid[account.Credential] = &validity{entry: &k.Entry}
	s.keys[k.ID] = &storedKey{entry: &k.Entry, hash: k.Hash, account: account}
	for _, p := range k.Previous {
		account.Credential = credential(sasl.KindKey, k.Name, p.Since)
		s.valid[account.Credential] = &validity{entry: &k.Entry, until: p.Until}
		s.keys[p.ID] = &storedKey{entry: &k.Entry, hash: p.Hash, until: p.Until, account: account}
	}
}

func (s *Store) addCertificate(c *Certificate) {
	for _, r := range c.Match {
		account := c.account(sasl.KindCertificate, c.Since)
		account.Credential += " " + r.String()
		if live := s.rules[r.key()]; live != nil && live.entry.Revoked.IsZero() {
			continue // a tombstone does not shadow the account that has the rule now
		}
		s.valid[account.Credential] = &validity{entry: &c.Entry}
		s.rules[r.key()] = &storedRule{entry: &c.Entry, account: account}
	}
}

func (e *Entry) account(kind sasl.Kind, since time.Time) sasl.Account {
	return sasl.Account{Name: e.Name, Scopes: e.Scopes, Attributes: e.Attributes, Expires: e.Expires,
		Credential: credential(kind, e.Name, since)}
}

// credential names one password, key or rule among all that a principal ever had. A rotated password has another.
func credential(kind sasl.Kind, name string, since time.Time) string {
	return string(kind) + ":" + name + "@" + strconv.FormatInt(since.Unix(), 10)
}

// Scram returns the verifiers of a user.
func (s *Store) Scram(user string, hash sasl.Hash) (*sasl.ScramEntry, error) {
	u := s.users[user]
	if u == nil {
		return nil, sasl.ErrUnknown
	}
	now := time.Now()
	entry := u.scram[hash]
	if entry == nil {
		entry = u.ended
	} else {
		entry = entry.At(now)
	}
	if err := u.entry.state(now); err != nil {
		return entry, err
	}
	if len(entry.Keys) == 0 {
		return nil, fmt.Errorf("%w: no SCRAM-%s verifier", sasl.ErrUnknown, hash)
	}
	return entry, nil
}

// Key returns the account of an API key.
func (s *Store) Key(key string) (*sasl.Account, error) {
	id, ok := sasl.KeyID(key)
	if !ok {
		return nil, fmt.Errorf("%w: not of the form of a key", sasl.ErrUnknown)
	}
	k := s.keys[id]
	sum := sha256.Sum256([]byte(key))
	if k == nil {
		return nil, sasl.ErrUnknown
	}
	now := time.Now()
	account := k.account
	account.Expires = sooner(k.account.Expires, k.until)
	switch {
	case !k.entry.Revoked.IsZero(): // nothing is left to compare with
		return &account, k.entry.state(now)
	case subtle.ConstantTimeCompare(sum[:], k.hash) != 1:
		return nil, fmt.Errorf("%w: the id is known, the secret is not its", sasl.ErrUnknown)
	case !k.until.IsZero() && !now.Before(k.until):
		return &account, fmt.Errorf("%w: rotated, and kept until %s", sasl.ErrExpired, k.until.UTC().Format(time.RFC3339))
	}
	return &account, k.entry.state(now)
}

// Certificate returns the account of a verified certificate: of the only one whose rules it meets.
func (s *Store) Certificate(cert *x509.Certificate) (*sasl.Account, error) {
	identities, err := identitiesOf(cert)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", sasl.ErrUnknown, err)
	}
	var found *storedRule
	for _, identity := range identities {
		rule := s.rules[identity]
		switch {
		case rule == nil:
		case found == nil:
			found = rule
		case found.account.Name != rule.account.Name:
			return nil, fmt.Errorf("%w: the certificate is that of both %q and %q", sasl.ErrUnknown, found.account.Name, rule.account.Name)
		case found.entry.Revoked.IsZero() && !rule.entry.Revoked.IsZero():
			found = rule
		}
	}
	if found == nil {
		return nil, fmt.Errorf("%w: no rule matches it", sasl.ErrUnknown)
	}
	account := found.account
	return &account, found.entry.state(time.Now())
}

// Check reports whether the credential that proved a principal is still good: it exists, has not ended, and grants no
// less than the principal was given.
func (s *Store) Check(p *sasl.Principal) error {
	if p.Credential == "" && p.Mechanism == "" {
		return nil // nothing was proved, so there is nothing to withdraw
	}
	v := s.valid[p.Credential]
	if v == nil {
		return fmt.Errorf("%w: replaced or removed", sasl.ErrRevoked)
	}
	now := time.Now()
	if !v.until.IsZero() && !now.Before(v.until) {
		return fmt.Errorf("%w: rotated, and kept until %s", sasl.ErrExpired, v.until.UTC().Format(time.RFC3339))
	}
	for _, scope := range p.Scopes {
		if !slices.Contains(v.entry.Scopes, scope) {
			return fmt.Errorf("%w: the scope %q was withdrawn", sasl.ErrRevoked, scope)
		}
	}
	return v.entry.state(now)
}

func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
