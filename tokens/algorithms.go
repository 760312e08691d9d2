package tokens

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// algorithm is a signature algorithm (RFC 7518, RFC 8037) and the keys that it takes. Each has a private key that the
// gateway does not have: with HMAC whoever can verify can sign, and "none" signs nothing.
type algorithm struct {
	name jose.SignatureAlgorithm
	fits func(public any) bool
}

var algorithms = []algorithm{
	{jose.RS256, isRSA}, {jose.RS384, isRSA}, {jose.RS512, isRSA},
	{jose.PS256, isRSA}, {jose.PS384, isRSA}, {jose.PS512, isRSA},
	{jose.ES256, onCurve("P-256")}, {jose.ES384, onCurve("P-384")}, {jose.ES512, onCurve("P-521")},
	{jose.EdDSA, func(public any) bool { _, ok := public.(ed25519.PublicKey); return ok }},
}

// Algorithms are the names of all algorithms there are.
func Algorithms() []string {
	names := make([]string, len(algorithms))
	for i, a := range algorithms {
		names[i] = string(a.name)
	}
	return names
}

// algorithmOf finds an algorithm among those that an issuer may use; nil: it must not.
func algorithmOf(name string, allowed []string) *algorithm {
	if !slices.Contains(allowed, name) {
		return nil
	}
	for i := range algorithms {
		if string(algorithms[i].name) == name {
			return &algorithms[i]
		}
	}
	return nil
}

func isRSA(public any) bool { _, ok := public.(*rsa.PublicKey); return ok }

func onCurve(name string) func(any) bool {
	return func(public any) bool {
		k, ok := public.(*ecdsa.PublicKey)
		return ok && k.Curve.Params().Name == name
	}
}
