package tokens

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"

	"github.com/asyncgate/asyncgate/sasl"
)

// bound checks what a token is bound to (RFC 7800, the claim cnf). One that is bound to a client certificate (RFC 8705
// section 3.1) is only good on a connection that has shown it; one that is bound to anything else cannot be checked, so it
// is good nowhere.
func bound(c claims, name string, peer sasl.Peer) *sasl.Reject {
	confirmation, there := c["cnf"]
	if !there {
		return nil
	}
	refuse := func(why string) *sasl.Reject {
		return named(reject(sasl.CodeTokenBinding, "the token of %s %s", quote(name), why), name)
	}
	members, _ := confirmation.(map[string]any)
	encoded, _ := members["x5t#S256"].(string)
	want, err := base64.RawURLEncoding.DecodeString(encoded)
	switch {
	case err != nil || len(want) != sha256.Size || len(members) != 1:
		return refuse("is bound to something that is no client certificate")
	case peer.TLS == nil || len(peer.TLS.PeerCertificates) == 0:
		return refuse("is bound to a client certificate, and the client has shown none")
	}
	got := sha256.Sum256(peer.TLS.PeerCertificates[0].Raw)
	if subtle.ConstantTimeCompare(got[:], want) != 1 {
		return refuse("is bound to another client certificate")
	}
	return nil
}
