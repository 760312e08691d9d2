package credentials

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/asyncgate/asyncgate/sasl"
)

// Why a change is refused.
var (
	ErrExists   = errors.New("it exists")
	ErrNotFound = errors.New("not in the file")
)

// maxPrevious bounds the earlier passwords or keys kept of one entry: each is tried at every login.
const maxPrevious = 4

// Grant is what comes with a credential.
type Grant struct {
	Scopes     []string
	Attributes map[string]string
	Expires    time.Time // zero: never
}

// AddUser adds a user with a password, or one of that name that was revoked.
func (f *File) AddUser(name, password string, iterations int, g Grant) error {
	i, e, err := newEntry(f.Users, name, g)
	if err != nil {
		return err
	}
	if err := CheckPassword(password); err != nil {
		return err
	}
	verifiers, err := NewVerifiers(password, iterations)
	if err != nil {
		return err
	}
	f.Users = put(f.Users, i, &User{Entry: e, Verifiers: verifiers})
	return nil
}

// AddVerifiers is AddUser for verifiers that were derived elsewhere.
func (f *File) AddVerifiers(name string, verifiers []Verifier, g Grant) error {
	i, e, err := newEntry(f.Users, name, g)
	if err != nil {
		return err
	}
	f.Users = put(f.Users, i, &User{Entry: e, Verifiers: verifiers})
	return nil
}

// AddKey adds an API key and returns it. It cannot be had again.
func (f *File) AddKey(name string, g Grant) (key string, err error) {
	i, e, err := newEntry(f.Keys, name, g)
	if err != nil {
		return "", err
	}
	key, digest := NewKey()
	f.Keys = put(f.Keys, i, &Key{Entry: e, Digest: digest})
	return key, nil
}

// AddCertificate adds a principal with rules for its certificates.
func (f *File) AddCertificate(name string, match []Rule, g Grant) error {
	i, e, err := newEntry(f.Certificates, name, g)
	if err != nil {
		return err
	}
	if len(match) == 0 {
		return errors.New("a certificate needs a rule to match")
	}
	f.Certificates = put(f.Certificates, i, &Certificate{Entry: e, Match: match})
	return nil
}

// RotateUser gives a user a new password. The current one stays good for keep; as a server shows the salt before it
// knows the password, the two then share it.
func (f *File) RotateUser(name, password string, iterations int, keep time.Duration) error {
	i, err := active(f.Users, name)
	if err != nil {
		return err
	}
	if err := CheckPassword(password); err != nil {
		return err
	}
	u, now := f.Users[i], time.Now()
	verifiers, err := NewVerifiers(password, iterations)
	if err != nil {
		return err
	}
	var previous []Password
	if keep > 0 {
		for _, p := range u.Previous {
			if now.Before(p.Until) {
				previous = append(previous, p)
			}
		}
		previous = append([]Password{{Since: u.Since, Until: now.Add(keep), Verifiers: u.Verifiers}}, previous...)
		for i, v := range verifiers {
			for _, old := range u.Verifiers {
				if old.Hash != v.Hash {
					continue
				}
				if verifiers[i], err = deriveVerifier(v.Hash, password, old.Salt, old.Iterations); err != nil {
					return err
				}
			}
		}
	}
	if len(previous) > maxPrevious {
		return tooMany(name)
	}
	u.Verifiers, u.Previous, u.Since = verifiers, previous, after(u.Since, now)
	return nil
}

// RotateKey gives a principal a new API key. The current one stays good for keep.
func (f *File) RotateKey(name string, keep time.Duration) (key string, err error) {
	i, err := active(f.Keys, name)
	if err != nil {
		return "", err
	}
	k, now := f.Keys[i], time.Now()
	var previous []OldKey
	if keep > 0 {
		for _, p := range k.Previous {
			if now.Before(p.Until) {
				previous = append(previous, p)
			}
		}
		previous = append([]OldKey{{Digest: k.Digest, Since: k.Since, Until: now.Add(keep)}}, previous...)
	}
	if len(previous) > maxPrevious {
		return "", tooMany(name)
	}
	key, k.Digest = NewKey()
	k.Previous, k.Since = previous, after(k.Since, now)
	return key, nil
}

func tooMany(name string) error {
	return fmt.Errorf("%q would have %d earlier secrets at once: rotate without --keep, which ends them", name, maxPrevious+1)
}

// Revoke ends the credentials of a name, of one kind or of all, and drops what is secret of them. What stays tells the
// audit log that they were revoked.
func (f *File) Revoke(name string, kinds ...sasl.Kind) error {
	now, found := time.Now().UTC().Truncate(time.Second), false
	revoke := func(kind sasl.Kind, e *Entry) bool {
		if e.Name != name || !e.Revoked.IsZero() || len(kinds) > 0 && !slices.Contains(kinds, kind) {
			return false
		}
		e.Revoked, found = now, true
		return true
	}
	for _, u := range f.Users {
		if revoke(sasl.KindUser, &u.Entry) {
			u.Verifiers, u.Previous = nil, nil
		}
	}
	for _, k := range f.Keys {
		if revoke(sasl.KindKey, &k.Entry) {
			k.Hash, k.Previous = nil, nil
		}
	}
	for _, c := range f.Certificates {
		revoke(sasl.KindCertificate, &c.Entry)
	}
	if !found {
		return ErrNotFound
	}
	return nil
}

// Kinds lists the kinds in which a name can log in.
func (f *File) Kinds(name string) []sasl.Kind {
	var kinds []sasl.Kind
	if _, err := active(f.Users, name); err == nil {
		kinds = append(kinds, sasl.KindUser)
	}
	if _, err := active(f.Keys, name); err == nil {
		kinds = append(kinds, sasl.KindKey)
	}
	if _, err := active(f.Certificates, name); err == nil {
		kinds = append(kinds, sasl.KindCertificate)
	}
	return kinds
}

// named is any of the kinds.
type named interface{ common() *Entry }

func (e *Entry) common() *Entry { return e }

func find[T named](all []T, name string) int {
	return slices.IndexFunc(all, func(t T) bool { return t.common().Name == name })
}

func active[T named](all []T, name string) (int, error) {
	i := find(all, name)
	if i < 0 || !all[i].common().Revoked.IsZero() {
		return -1, ErrNotFound
	}
	return i, nil
}

// newEntry checks a name and says where its entry goes: in the place of a revoked one, or -1 for the end.
func newEntry[T named](all []T, name string, g Grant) (place int, e Entry, err error) {
	if err := CheckName(name); err != nil {
		return -1, e, err
	}
	e = Entry{Name: name, Scopes: g.Scopes, Attributes: g.Attributes, Expires: g.Expires}
	var last time.Time
	if place = find(all, name); place >= 0 {
		if last = all[place].common().Revoked; last.IsZero() {
			return -1, e, ErrExists
		}
	}
	e.Since = after(last, time.Now())
	return place, e, nil
}

// after is now, or the second after the last change: no two passwords of a principal have the same beginning.
func after(last, now time.Time) time.Time {
	now = now.UTC().Truncate(time.Second)
	if next := last.Add(time.Second).Truncate(time.Second); now.Before(next) {
		return next
	}
	return now
}

func put[T any](all []T, place int, t T) []T {
	if place < 0 {
		return append(all, t)
	}
	all[place] = t
	return all
}
