package sasl

import "strings"

// KeyPrefix begins every API key. It tells a key from a password, to asyncgate and to secret scanners: a value that
// begins with it is only ever tried as a key, any other value never.
const KeyPrefix = "agk_"

// Lengths of the two parts of a key, in characters of [A-Za-z0-9]: "agk_ID_SECRET".
const (
	KeyIDLength     = 12 // 71 bit: random ids do not collide
	KeySecretLength = 43 // 256 bit
)

// IsKey reports whether a value is meant as an API key. It says nothing of its validity.
func IsKey(value string) bool { return strings.HasPrefix(value, KeyPrefix) }

// KeyID returns the public part of a well-formed API key, by which it is looked up.
func KeyID(key string) (id string, ok bool) {
	rest, ok := strings.CutPrefix(key, KeyPrefix)
	if !ok || len(rest) != KeyIDLength+1+KeySecretLength || rest[KeyIDLength] != '_' {
		return "", false
	}
	id = rest[:KeyIDLength]
	return id, alphanumeric(id) && alphanumeric(rest[KeyIDLength+1:])
}

// IsKeyID reports whether a text has the form of the public part of a key.
func IsKeyID(id string) bool { return len(id) == KeyIDLength && alphanumeric(id) }

func alphanumeric(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}
