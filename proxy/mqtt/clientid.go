package mqtt

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
	"github.com/asyncgate/asyncgate/sasl"
)

// The lengths of an id at the broker, in characters. 3.1 allows 23. Later versions may have more: the beginning of the
// principal's name, for whoever reads the broker's log, and 160 bits.
const (
	idLength31   = 23
	idLength     = 32
	idNameLength = 32
)

// alphabet is what every broker has to accept in a client id (MQTT 5 section 3.1.3.1).
var alphabet = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// clientID is the id that the broker sees of a client, and the one to tell a client that has none.
func (c *connection) clientID(connect *wire.Connect, who *sasl.Principal) (id, assigned string) {
	own := connect.ClientID
	if c.server.MQTT.ClientIDs == plan.VerbatimIDs {
		return own, "" // an empty one is for the broker to fill in
	}
	if own == "" {
		own = "auto-" + rand.Text()
		assigned = own
	}
	return derive(c.session.Server.Name(), who.Name, own, connect.Version), assigned
}

// derive makes the id at the broker: the same for the same three at any time and on every instance, and different for
// others, so that a client id belongs to a principal. It is a digest and no secret: who wants somebody else's id has to
// find a second preimage of SHA-256, cut to 115 bits in 3.1 and to 160 in later versions, and knowing the id is no use,
// since clients cannot choose it. A principal or a client id that a broker would take for a pattern never reaches it.
func derive(server, principal, client string, v wire.Version) string {
	h := sha256.New()
	for _, part := range []string{server, principal, client} {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		h.Write([]byte(part))
	}
	digest := alphabet.EncodeToString(h.Sum(nil))
	if v == wire.V31 {
		return digest[:idLength31]
	}
	name := []byte(principal[:min(len(principal), idNameLength)])
	for i, b := range name {
		if !(b >= '0' && b <= '9' || b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z') {
			name[i] = '-'
		}
	}
	return string(name) + "-" + digest[:idLength]
}
