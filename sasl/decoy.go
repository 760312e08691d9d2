package sasl

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha512"
	"math/big"
	"strconv"
)

// MinIterations is the least iteration count of a verifier, in a store or from a server that the gateway logs in to:
// RFC 7677 section 4, and the least that Kafka accepts.
const MinIterations = 4096

// SaltShape is what the salts of a store look like: made-up ones have to look like them.
type SaltShape struct {
	Length int  // in bytes; 0: 16, as PostgreSQL and `asyncgate credentials` make them
	Kafka  bool // as Kafka makes them: 130 random bits in base 36, so 25 or 26 digits and letters
}

// SaltShaper is a [Directory] that knows the shape of most of its salts.
type SaltShaper interface {
	SaltShape(Hash) SaltShape
}

// decoys makes up verifiers for users that do not exist, so that a stranger's login goes exactly the way of a user's.
// The same secret makes the same salt for the same name, across restarts and instances: a salt that changed from one
// try to the next would give the stranger away.
type decoys struct {
	secret []byte
	hash   Hash
	keys   []ScramKeys // random: nobody knows what they would be keys of
}

// newDecoys keys the decoys with a secret; without one they are stable until the process ends.
func newDecoys(secret []byte, hash Hash) decoys {
	if len(secret) == 0 {
		secret = make([]byte, 32)
		_, _ = rand.Read(secret) // never fails (crypto/rand)
	}
	random := make([]byte, 2*hash.size())
	_, _ = rand.Read(random)
	return decoys{secret: bytes.Clone(secret), hash: hash,
		keys: []ScramKeys{{StoredKey: random[:hash.size()], ServerKey: random[hash.size():]}}}
}

// entry is a verifier that no password proves.
func (d decoys) entry(user string, dir Directory) *ScramEntry {
	var shape SaltShape
	if shaper, ok := dir.(SaltShaper); ok {
		shape = shaper.SaltShape(d.hash)
	}
	return &ScramEntry{Salt: d.salt(user, shape), Iterations: max(dir.Iterations(d.hash), MinIterations), Keys: d.keys}
}

func (d decoys) salt(user string, shape SaltShape) []byte {
	random := d.derive("0", user)
	switch {
	case shape.Kafka:
		number := new(big.Int).SetBytes(random)
		return []byte(number.Rsh(number, uint(8*len(random)-130)).Text(36))
	case shape.Length <= 0:
		return random[:16]
	}
	for n := 1; len(random) < shape.Length; n++ {
		random = append(random, d.derive(strconv.Itoa(n), user)...)
	}
	return random[:shape.Length]
}

// derive returns 64 bytes for a user, other ones for every part.
func (d decoys) derive(part, user string) []byte {
	mac := hmac.New(sha512.New, d.secret)
	mac.Write([]byte(part + "\x00" + string(d.hash) + "\x00" + user))
	return mac.Sum(nil)
}
