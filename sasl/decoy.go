package sasl

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha512"
)

// MinIterations is the least iteration count of a verifier, in a store or from a server that the gateway logs in to:
// RFC 7677 section 4, and the least that Kafka accepts.
const MinIterations = 4096

// decoySalt is the length of a made-up salt, in bytes: what PostgreSQL and `asyncgate credentials` use.
const decoySalt = 16

// decoys makes up verifiers for users that do not exist, so that a stranger's login goes exactly the way of a user's.
// The same secret makes the same salt for the same name, across restarts and instances: a salt that changed from one
// try to the next would give the stranger away.
type decoys struct {
	secret []byte
	hash   Hash
}

// newDecoys keys the decoys with a secret; without one they are stable until the process ends.
func newDecoys(secret []byte, hash Hash) decoys {
	if len(secret) == 0 {
		secret = make([]byte, 32)
		_, _ = rand.Read(secret) // never fails (crypto/rand)
	}
	return decoys{secret: append([]byte(nil), secret...), hash: hash}
}

// entry is a verifier that no password proves: its keys are hashes of the secret, of which nobody knows a preimage.
func (d decoys) entry(user string, dir Directory) *ScramEntry {
	iterations := dir.Iterations(d.hash)
	if iterations < MinIterations {
		iterations = MinIterations
	}
	size := d.hash.size()
	return &ScramEntry{
		Salt:       d.derive("salt", user)[:decoySalt],
		Iterations: iterations,
		Keys:       []ScramKeys{{StoredKey: d.derive("stored", user)[:size], ServerKey: d.derive("server", user)[:size]}},
	}
}

func (d decoys) derive(purpose, user string) []byte {
	mac := hmac.New(sha512.New, d.secret)
	mac.Write([]byte(purpose + "\x00" + string(d.hash) + "\x00" + user))
	return mac.Sum(nil)
}
