package credentials

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/asyncgate/asyncgate/sasl"
)

// maxPassword is the longest password PLAIN lets through, in bytes.
const maxPassword = 1024

// NewKey makes an API key. It is shown once; the file keeps its digest.
func NewKey() (key string, d Digest) {
	d.ID = alphanumeric(sasl.KeyIDLength)
	key = sasl.KeyPrefix + d.ID + "_" + alphanumeric(sasl.KeySecretLength)
	sum := sha256.Sum256([]byte(key))
	d.Hash = sum[:]
	return key, d
}

// NewPassword makes a password of 256 random bits, in letters and digits.
func NewPassword() string { return alphanumeric(sasl.KeySecretLength) }

// alphanumeric returns n random characters of [A-Za-z0-9], each as likely as the others.
func alphanumeric(n int) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	const fair = 256 / len(alphabet) * len(alphabet) // beyond it the first characters would come more often
	text := make([]byte, 0, n)
	for buffer := make([]byte, 64); len(text) < n; {
		_, _ = rand.Read(buffer) // never fails (crypto/rand)
		for _, b := range buffer {
			if int(b) < fair && len(text) < n {
				text = append(text, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return string(text)
}

// CheckPassword says why a password could not be used with every mechanism.
func CheckPassword(password string) error {
	switch {
	case password == "":
		return errors.New("the password is empty")
	case len(password) > maxPassword:
		return fmt.Errorf("the password has %d bytes, and PLAIN takes at most %d", len(password), maxPassword)
	case !utf8.ValidString(password) || strings.ContainsRune(password, 0):
		return errors.New("the password has to be UTF-8 without NUL (RFC 4616)")
	case sasl.IsKey(password):
		return fmt.Errorf("the password begins with %s, as API keys do", sasl.KeyPrefix)
	}
	return nil
}
