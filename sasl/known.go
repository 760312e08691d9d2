package sasl

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"
)

// Bounds of what is remembered of passwords that were right. A derivation is remembered for ten minutes, as long as many
// a client waits before it connects again; each takes some 150 bytes.
const (
	knownTime = 10 * time.Minute
	knownSize = 1 << 13 // of one generation, of which there are two
)

// knownPasswords remembers what passwords that were right derive to, so that a client that connects again and again, as clients of
// MQTT do, does not cost 4096 rounds of a hash each time. It says nothing about whether a password is right: what it
// answers is compared with the verifier of that moment, like what is derived. Passwords that were wrong are not in it, so
// guessing costs what it costs.
//
// A password cannot be read from it: the key of an entry is its HMAC under a secret of this process.
type knownPasswords struct {
	secret [sha256.Size]byte

	mu         sync.Mutex
	young, old map[[sha256.Size]byte]derivation
	turned     time.Time // when young began
}

type derivation struct {
	stored []byte
	until  time.Time
}

func newKnownPasswords() *knownPasswords {
	p := &knownPasswords{young: make(map[[sha256.Size]byte]derivation)}
	_, _ = rand.Read(p.secret[:]) // never fails (crypto/rand)
	return p
}

// key identifies a derivation: the password and all that goes into it.
func (p *knownPasswords) key(h Hash, password, salt []byte, iterations int) (key [sha256.Size]byte) {
	mac := hmac.New(sha256.New, p.secret[:])
	var length [8]byte
	for _, part := range [][]byte{[]byte(h), salt, password} {
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		mac.Write(length[:])
		mac.Write(part)
	}
	binary.BigEndian.PutUint64(length[:], uint64(iterations))
	mac.Write(length[:])
	mac.Sum(key[:0])
	return key
}

// get returns the StoredKey of a derivation that is remembered.
func (p *knownPasswords) get(key [sha256.Size]byte, now time.Time) ([]byte, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d, ok := p.young[key]
	if !ok {
		d, ok = p.old[key]
	}
	return d.stored, ok && now.Before(d.until)
}

// put remembers a derivation. The oldest are forgotten when there are too many.
func (p *knownPasswords) put(key [sha256.Size]byte, stored []byte, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.young) >= knownSize || now.Sub(p.turned) > knownTime {
		p.old, p.young, p.turned = p.young, make(map[[sha256.Size]byte]derivation), now
	}
	p.young[key] = derivation{stored, now.Add(knownTime)}
}
