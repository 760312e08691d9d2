package tokens

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/asyncgate/asyncgate/sasl"
)

// Bounds of a token's parts, in bytes. A header names an algorithm, a type and a key; certificates in it are no use here.
const (
	maxHeader = 16 << 10
	maxKeyID  = 1024
	maxDepth  = 32 // of nested JSON: claims have three or four levels
)

// header is what counts of a JOSE header. What it says of keys and where to find them (jwk, jku, x5c, x5u) is not read:
// a token does not choose by what it is judged.
type header struct {
	Algorithm string           `json:"alg"`
	Type      string           `json:"typ"`
	KeyID     string           `json:"kid"`
	Critical  *json.RawMessage `json:"crit"`
	Base64    *json.RawMessage `json:"b64"`
	Zip       *json.RawMessage `json:"zip"`
	Encrypted *json.RawMessage `json:"enc"`
}

// unverified is a JWT of which only the form has been judged.
type unverified struct {
	header   header
	issuer   string // the claim iss
	payload  []byte // decoded, once
	detached string // the token without its payload (RFC 7515 appendix F)
}

// errOpaque says that a token is not a JWT.
var errOpaque = errors.New("not a JWT")

// parse judges the form of a token before anything of it is believed: lengths, parts, alphabet, depth. The error is a
// *[sasl.Reject], or errOpaque.
func parse(token string) (*unverified, error) {
	if len(token) > sasl.MaxBearer {
		return nil, reject(sasl.CodeTooLarge, "a token of %d bytes", len(token))
	}
	first, rest, ok := strings.Cut(token, ".")
	if !ok || !object(first) {
		return nil, errOpaque
	}
	payload, signature, ok := strings.Cut(rest, ".")
	switch dots := 1 + strings.Count(rest, "."); {
	case dots == 4:
		return nil, reject(sasl.CodeEncryptedToken, "an encrypted token (JWE)")
	case !ok || dots != 2:
		return nil, reject(sasl.CodeMalformed, "a JWT with %d dots in place of 2", dots)
	case len(first) > maxHeader:
		return nil, reject(sasl.CodeTooLarge, "a JWT header of %d bytes", len(first))
	case signature == "":
		return nil, reject(sasl.CodeTokenAlgorithm, "a JWT without a signature")
	}
	u := &unverified{detached: first + ".." + signature}
	if _, err := decode(first, &u.header); err != nil {
		return nil, reject(sasl.CodeMalformed, "a JWT header that is %v", err)
	}
	if r := u.header.judge(); r != nil {
		return nil, r
	}
	var claims struct {
		Issuer string `json:"iss"`
	}
	var err error
	if u.payload, err = decode(payload, &claims); err != nil {
		return nil, reject(sasl.CodeMalformed, "JWT claims that are %v", err)
	}
	u.issuer = claims.Issuer
	return u, nil
}

// object reports whether a part begins with "{" in base64: then it is meant as a JWT's header, and is never tried as
// anything else.
func object(part string) bool {
	return len(part) > 1 && part[0] == 'e' && part[1] >= 'w' && part[1] <= 'z'
}

// judge refuses what no issuer here may ask for.
func (h *header) judge() *sasl.Reject {
	switch {
	case h.Encrypted != nil:
		return reject(sasl.CodeEncryptedToken, "a header with enc: an encrypted token")
	case h.Critical != nil:
		return reject(sasl.CodeTokenHeader, "a header with crit, and nothing critical is understood here")
	case h.Base64 != nil, h.Zip != nil:
		return reject(sasl.CodeTokenHeader, "a header with b64 or zip")
	case len(h.KeyID) > maxKeyID:
		return reject(sasl.CodeTooLarge, "a key id of %d bytes", len(h.KeyID))
	case algorithmOf(h.Algorithm, Algorithms()) == nil:
		return reject(sasl.CodeTokenAlgorithm, "algorithm %s, which is never accepted", quote(h.Algorithm))
	}
	switch strings.TrimPrefix(strings.ToLower(h.Type), "application/") {
	case "", "jwt", "at+jwt":
		return nil
	}
	return reject(sasl.CodeTokenType, "a token of type %s, which is no access token", quote(h.Type))
}

// strictBase64 takes no line breaks and no bits that are left over: what it decodes has one spelling.
var strictBase64 = base64.RawURLEncoding.Strict()

// decode reads one part of a JWT, and returns its JSON.
func decode(part string, to any) ([]byte, error) {
	raw, err := strictBase64.DecodeString(part)
	if err != nil || strings.ContainsAny(part, "\r\n") {
		return nil, errors.New("not base64url")
	}
	return raw, decodeJSON(raw, to)
}

// decodeJSON reads an object of bounded depth. Values of a wrong type are faults.
func decodeJSON(raw []byte, to any) error {
	if err := shallow(raw); err != nil {
		return err
	}
	if err := json.Unmarshal(raw, to); err != nil {
		return errors.New("not the JSON that was expected")
	}
	return nil
}

// shallow bounds the depth of JSON before a decoder walks it.
func shallow(raw []byte) error {
	depth, text := 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case text && c == '\\':
			i++
		case c == '"':
			text = !text
		case text:
		case c == '{', c == '[':
			if depth++; depth > maxDepth {
				return fmt.Errorf("nested more than %d levels deep", maxDepth)
			}
		case c == '}', c == ']':
			depth--
		}
	}
	return nil
}
