package tokens

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// Bounds of an issuer's keys. Issuers publish two to ten keys; RSA below 2048 bits is broken soon, and above 8192 costs a
// stranger's token a millisecond.
const (
	maxKeys    = 100
	minRSABits = 2048
	maxRSABits = 8192
	maxTries   = 8 // keys that one token without a key id is tried with
)

// key is one public key of an issuer.
type key struct {
	id         string // empty: none
	algorithm  string // the only one it is for; empty: any that fits
	public     any
	thumbprint string // identifies it, whatever it is called
}

// keySet is what an issuer had to show at one time. It never changes.
type keySet struct {
	keys  []*key
	names map[string]bool // thumbprints
}

var errNoKeys = errors.New("no public key in it that signatures could be checked with")

// parseKeys reads a JWK set, or PEM.
func parseKeys(data []byte) (*keySet, error) {
	if trimmed := bytes.TrimSpace(data); len(trimmed) > 0 && trimmed[0] == '{' {
		return parseJWKS(trimmed)
	}
	return parsePEM(data)
}

// parseJWKS reads a JWK set (RFC 7517). Keys that are of no use are left out, as section 5 asks: symmetric and encryption
// keys, those of unknown types, weak ones.
func parseJWKS(data []byte) (*keySet, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := decodeJSON(data, &set); err != nil {
		return nil, fmt.Errorf("no JWK set: %w", err)
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("a JWK set of more than %d keys", maxKeys)
	}
	s := &keySet{names: map[string]bool{}}
	for _, raw := range set.Keys {
		var k jose.JSONWebKey
		if err := json.Unmarshal(raw, &k); err != nil || k.Use == "enc" {
			continue
		}
		s.add(k.KeyID, k.Algorithm, k.Public().Key)
	}
	return s.complete()
}

// parsePEM reads public keys and certificates. A private key in the file is a mistake that is told.
func parsePEM(data []byte) (*keySet, error) {
	s := &keySet{names: map[string]bool{}}
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		var public any
		var err error
		switch block.Type {
		case "PUBLIC KEY":
			public, err = x509.ParsePKIXPublicKey(block.Bytes)
		case "RSA PUBLIC KEY":
			public, err = x509.ParsePKCS1PublicKey(block.Bytes)
		case "CERTIFICATE":
			var certificate *x509.Certificate
			if certificate, err = x509.ParseCertificate(block.Bytes); err == nil {
				public = certificate.PublicKey
			}
		default:
			return nil, fmt.Errorf("a PEM block %s, where public keys and certificates are expected", quote(block.Type))
		}
		if err != nil {
			return nil, fmt.Errorf("a PEM block %s that cannot be read", quote(block.Type))
		}
		s.add("", "", public)
		if len(s.keys) > maxKeys {
			return nil, fmt.Errorf("more than %d keys", maxKeys)
		}
	}
	return s.complete()
}

func (s *keySet) complete() (*keySet, error) {
	if len(s.keys) == 0 {
		return nil, errNoKeys
	}
	return s, nil
}

// add takes a key that signatures can be checked with, and no other.
func (s *keySet) add(id, algorithm string, public any) {
	switch p := public.(type) {
	case *rsa.PublicKey:
		if bits := p.N.BitLen(); bits < minRSABits || bits > maxRSABits {
			return
		}
	case *ecdsa.PublicKey, ed25519.PublicKey:
	default:
		return
	}
	sum, err := (&jose.JSONWebKey{Key: public}).Thumbprint(crypto.SHA256)
	if err != nil || len(id) > maxKeyID {
		return
	}
	k := &key{id: id, algorithm: algorithm, public: public, thumbprint: hex.EncodeToString(sum)}
	s.keys, s.names[k.thumbprint] = append(s.keys, k), true
}

// find returns the keys that may have signed a token. A key that has an id is only for tokens that name it, or name none.
func (s *keySet) find(id string, a *algorithm) []*key {
	var found []*key
	for _, k := range s.keys {
		if id != "" && k.id != "" && k.id != id || k.algorithm != "" && k.algorithm != string(a.name) || !a.fits(k.public) {
			continue
		}
		if found = append(found, k); len(found) == maxTries {
			break
		}
	}
	return found
}
