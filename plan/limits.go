package plan

import (
	"net/netip"
	"time"
)

// Limits bound what clients can cost. The zero value is not usable; start from DefaultLimits.
type Limits struct {
	Handshake     time.Duration  // from accept to the end of authentication
	Idle          time.Duration  // without a byte in either direction on an authenticated connection
	PreAuthFrame  int            // bytes of one frame before authentication; at least BearerFrame where tokens are taken
	Frame         int            // bytes of one frame after it
	Connections   int            // open connections of the whole gateway
	PerAddress    int            // open connections of one client address (IPv6: of one /64)
	PerPrincipal  int            // open connections of one principal
	AcceptRate    int            // new connections a second of one client address (IPv6: of one /64)
	Drain         time.Duration  // how long open connections may finish after SIGTERM
	ExemptClients []netip.Prefix // client networks without per-address limits and login throttling
}

// BearerFrame is what one frame before authentication may have, in bytes, on a server that takes bearer tokens: the largest
// token, of 128 KiB, with all that stands around it.
const BearerFrame = 192 << 10

// DefaultLimits are the limits where the settings say nothing.
//
// Handshake is what ghostunnel gives a TLS handshake. Idle is Apache Kafka's connections.max.idle.ms. PreAuthFrame is
// an eighth of Kafka's sasl.server.max.receive.size (524288): no mechanism but OAUTHBEARER needs more. Frame is Kafka's
// socket.request.max.bytes. The counts are sized for 1 GiB of memory at under 100 KiB a connection.
func DefaultLimits() Limits {
	return Limits{
		Handshake:    10 * time.Second,
		Idle:         10 * time.Minute,
		PreAuthFrame: 64 << 10,
		Frame:        100 << 20,
		Connections:  10000,
		PerAddress:   1000,
		PerPrincipal: 1000,
		AcceptRate:   200,
		Drain:        30 * time.Second,
	}
}
