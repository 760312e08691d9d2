package credentials

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"strconv"
	"strings"

	"github.com/asyncgate/asyncgate/sasl"
)

// Bounds of a salt, in bytes. RFC 5802 leaves it open; PostgreSQL takes 16, Kafka 25 or 26.
const (
	minSalt = 8
	maxSalt = 256
	newSalt = 16
)

// Verifier proves that somebody knows a password, without the password (RFC 5802 section 3).
type Verifier struct {
	Hash       sasl.Hash
	Iterations int
	Salt       []byte
	StoredKey  []byte
	ServerKey  []byte
}

// ParseVerifier reads the text of RFC 5803, as PostgreSQL stores it: SCRAM-SHA-256$4096:SALT$STORED:SERVER. Errors
// show nothing of it.
func ParseVerifier(text string) (Verifier, error) {
	var v Verifier
	parts := strings.Split(text, "$")
	if len(parts) != 3 {
		return v, errors.New("a verifier is written SCRAM-SHA-256$ITERATIONS:SALT$STOREDKEY:SERVERKEY")
	}
	switch parts[0] {
	case sasl.ScramSHA256:
		v.Hash = sasl.SHA256
	case sasl.ScramSHA512:
		v.Hash = sasl.SHA512
	default:
		return v, errors.New("a verifier begins with SCRAM-SHA-256 or SCRAM-SHA-512")
	}
	count, salt, ok := strings.Cut(parts[1], ":")
	stored, server, ok2 := strings.Cut(parts[2], ":")
	if !ok || !ok2 {
		return v, errors.New("a verifier has ITERATIONS:SALT and STOREDKEY:SERVERKEY")
	}
	var err error
	if v.Iterations, err = strconv.Atoi(count); err != nil || strconv.Itoa(v.Iterations) != count {
		return v, errors.New("the iteration count of the verifier is not a number")
	}
	for _, part := range []struct {
		name, text string
		to         *[]byte
	}{{"salt", salt, &v.Salt}, {"stored key", stored, &v.StoredKey}, {"server key", server, &v.ServerKey}} {
		if *part.to, err = decodeBase64(part.text); err != nil {
			return v, fmt.Errorf("the %s of the verifier is not base64", part.name)
		}
	}
	return v, v.check()
}

// check says what makes a verifier unusable.
func (v Verifier) check() error {
	size := newHash(v.Hash)().Size()
	switch {
	case v.Iterations < sasl.MinIterations:
		return fmt.Errorf("%d iterations are too few: RFC 7677 and Kafka want at least %d", v.Iterations, sasl.MinIterations)
	case v.Iterations > sasl.MaxIterations:
		return fmt.Errorf("%d iterations are too many: at most %d, or a login with PLAIN would keep a processor busy", v.Iterations, sasl.MaxIterations)
	case len(v.Salt) < minSalt || len(v.Salt) > maxSalt:
		return fmt.Errorf("a salt of %d bytes: it has %d to %d", len(v.Salt), minSalt, maxSalt)
	case len(v.StoredKey) != size || len(v.ServerKey) != size:
		return fmt.Errorf("the keys of a SCRAM-%s verifier have %d bytes", v.Hash, size)
	}
	return nil
}

// String is the text of RFC 5803.
func (v Verifier) String() string {
	encode := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-%s$%d:%s$%s:%s", v.Hash, v.Iterations, encode(v.Salt), encode(v.StoredKey), encode(v.ServerKey))
}

// sharesSalt reports whether both verifiers have the parameters that the server shows before it knows the password.
func (v Verifier) sharesSalt(o Verifier) bool {
	return v.Hash == o.Hash && v.Iterations == o.Iterations && string(v.Salt) == string(o.Salt)
}

// DefaultIterations is what Kafka and PostgreSQL derive with. A client does the same work at every login; more of it
// matters where people choose their passwords, and nothing where they are generated.
const DefaultIterations = 4096

// NewVerifiers derives the verifiers of a password for both hashes, with a new salt each; 0 iterations means
// [DefaultIterations].
func NewVerifiers(password string, iterations int) ([]Verifier, error) {
	if iterations == 0 {
		iterations = DefaultIterations
	}
	var verifiers []Verifier
	for _, h := range []sasl.Hash{sasl.SHA256, sasl.SHA512} {
		salt := make([]byte, newSalt)
		_, _ = rand.Read(salt) // never fails (crypto/rand)
		v, err := deriveVerifier(h, password, salt, iterations)
		if err != nil {
			return nil, err
		}
		verifiers = append(verifiers, v)
	}
	return verifiers, nil
}

// deriveVerifier takes the password as it is, without SASLprep, as Kafka does.
func deriveVerifier(h sasl.Hash, password string, salt []byte, iterations int) (Verifier, error) {
	generator := newHash(h)
	salted, err := pbkdf2.Key(generator, password, salt, iterations, generator().Size())
	if err != nil {
		return Verifier{}, err
	}
	mac := func(text string) []byte {
		m := hmac.New(generator, salted)
		m.Write([]byte(text))
		return m.Sum(nil)
	}
	digest := generator()
	digest.Write(mac("Client Key"))
	v := Verifier{Hash: h, Iterations: iterations, Salt: salt, StoredKey: digest.Sum(nil), ServerKey: mac("Server Key")}
	return v, v.check()
}

func newHash(h sasl.Hash) func() hash.Hash {
	if h == sasl.SHA512 {
		return sha512.New
	}
	return sha256.New
}

// decodeBase64 takes one spelling of every value: padded, without line breaks or stray bits.
func decodeBase64(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") { // which encoding/base64 skips
		return nil, errors.New("a line break")
	}
	return base64.StdEncoding.Strict().DecodeString(s)
}
