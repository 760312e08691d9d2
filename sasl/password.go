package sasl

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"errors"
	"hash"
	"runtime"
	"time"
)

// passwords checks a user name and password, or the API key that one of them carries, for every road on which they
// come in clear.
type passwords struct {
	options PlainOptions
	dir     Directory
}

// verify decides what the two values are before it looks anything up: which of them is a key follows from its prefix
// and never from whether the key exists.
func (v passwords) verify(ctx context.Context, user string, password []byte) Step {
	switch {
	case v.options.KeyInUser && IsKey(user):
		return v.key(user, "user", "")
	case v.options.KeyInPassword && IsKey(string(password)):
		return v.key(string(password), "password", user)
	case IsKey(user), IsKey(string(password)):
		return refuse(CodeKeyNotAccepted, publicPlain, "user %s: an API key, where the server takes none", quoteUser(user))
	case v.options.Users:
		return v.user(ctx, user, password)
	}
	return refuse(CodeKeyRequired, publicPlain, "user %s: no API key, and the server takes nothing else", quoteUser(user))
}

func (v passwords) key(key, in, user string) Step {
	account, err := v.dir.Key(key)
	if err != nil {
		name := quoteUser(key)
		if account != nil {
			name += " of " + quote(account.Name)
		}
		if user != "" {
			name += " with user name " + quoteUser(user)
		}
		return refuse(codeOf(err, CodeUnknownKey), publicPlain, "key %s: %v", name, err)
	}
	p := account.principal(Plain, KindKey)
	p.In = in
	return Step{Principal: p}
}

// user checks a password by deriving what its SCRAM verifier holds. An unknown user costs the same.
func (v passwords) user(ctx context.Context, user string, password []byte) Step {
	h, entry, err := v.lookUp(user)
	stored, refused := v.derived(ctx, user, h, entry, password, err == nil)
	if refused != nil {
		return *refused
	}
	proved := -1
	for i, keys := range entry.Keys { // all of them, whichever proves it
		if subtle.ConstantTimeCompare(stored, keys.StoredKey) == 1 && proved < 0 {
			proved = i
		}
	}
	switch {
	case err != nil && proved >= 0:
		return refuse(codeOf(err, CodeUnknownUser), publicPlain, "user %s: %v; the password was right", quote(user), err)
	case err != nil:
		return refuse(codeOf(err, CodeUnknownUser), publicPlain, "user %s: %v", quote(user), err)
	case proved < 0:
		return refuse(CodeWrongPassword, publicPlain, "user %s: wrong password", quote(user))
	}
	remembered.put(remembered.key(h, password, entry.Salt, entry.Iterations), stored, time.Now())
	return Step{Principal: entry.principal(entry.Keys[proved], Plain)}
}

// remembered are the derivations of the whole process: its key keeps those of different stores apart.
var remembered = newKnownPasswords()

// derived is what a password comes to with the salt and the rounds of an entry. For users in good standing passwords that
// were right a while ago are remembered; all others take their turn.
func (v passwords) derived(ctx context.Context, user string, h Hash, entry *ScramEntry, password []byte, good bool) ([]byte, *Step) {
	if good {
		if stored, ok := remembered.get(remembered.key(h, password, entry.Salt, entry.Iterations), time.Now()); ok {
			return stored, nil
		}
	}
	refused := func(s Step) *Step { return &s }
	if busy := derivations.acquire(ctx); busy != nil {
		return nil, refused(refuse(CodeBusy, publicPlain, "user %s: no turn to check the password before the deadline", quote(user)))
	}
	defer derivations.release()
	stored, err := storedKey(h, password, entry.Salt, entry.Iterations)
	if err != nil {
		return nil, refused(refuse(CodeDirectoryFailure, publicPlain, "user %s: %v", quote(user), err))
	}
	return stored, nil
}

// lookUp prefers SHA-256, the cheaper derivation. Who has no verifier gets one that no password proves, of the hash
// that most users of the store are checked with.
func (v passwords) lookUp(user string) (Hash, *ScramEntry, error) {
	var ended *ScramEntry
	var reason error
	for _, h := range []Hash{SHA256, SHA512} {
		entry, err := v.dir.Scram(user, h)
		if entry != nil && len(entry.Keys) > 0 {
			return h, entry, err
		}
		if reason == nil || !errors.Is(err, ErrUnknown) {
			ended, reason = entry, err
		}
	}
	if reason == nil {
		reason = ErrUnknown
	}
	h := SHA256
	if v.dir.Iterations(SHA256) == 0 && v.dir.Iterations(SHA512) > 0 {
		h = SHA512
	}
	entry := plainDecoys[h].entry(user, v.dir)
	if ended != nil {
		entry.Account = ended.Account
	}
	return h, entry, reason
}

// plainDecoys need no stable secret: PLAIN shows no salt.
var plainDecoys = map[Hash]decoys{SHA256: newDecoys(nil, SHA256), SHA512: newDecoys(nil, SHA512)}

// storedKey is the StoredKey of RFC 5802 section 3.
func storedKey(h Hash, password, salt []byte, iterations int) ([]byte, error) {
	salted, err := pbkdf2.Key(h.new, string(password), salt, iterations, h.size())
	if err != nil {
		return nil, err
	}
	mac := hmac.New(h.new, salted)
	mac.Write([]byte("Client Key"))
	digest := h.new()
	digest.Write(mac.Sum(nil))
	return digest.Sum(nil), nil
}

func (h Hash) new() hash.Hash {
	if h == SHA512 {
		return sha512.New()
	}
	return sha256.New()
}

// derivations bounds the password checks under way: each is 0.7 ms of work or more that somebody who is not known yet
// can ask for, so at most half of the processors do it at any moment, and the rest stays for those who are logged in.
var derivations = newTurns(max(1, runtime.GOMAXPROCS(0)/2))

type turns chan struct{}

func newTurns(n int) turns { return make(turns, n) }

// acquire waits for a turn, as long as ctx allows.
func (t turns) acquire(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t turns) release() { <-t }

// quoteUser is quote for what should be a user name and may be a key: of a key it shows the part that is no secret.
func quoteUser(s string) string {
	if !IsKey(s) {
		return quote(s)
	}
	if id, ok := KeyID(s); ok {
		return KeyPrefix + id + "_…"
	}
	return KeyPrefix + "…"
}
