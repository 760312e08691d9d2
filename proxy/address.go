package proxy

import (
	"net"
	"net/netip"

	"github.com/asyncgate/asyncgate/plan"
)

// addressOf is a connection's peer as a value; the zero value if it is not a TCP peer.
func addressOf(addr net.Addr) netip.AddrPort {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	a := tcp.AddrPort()
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// clientOf is what limits count as one client: an IPv4 address, or the /64 of an IPv6 address, which is what one
// customer has at least (RFC 6177).
func clientOf(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a
	}
	if p, err := a.Prefix(64); err == nil {
		return p.Addr()
	}
	return a
}

// exempt reports whether a client is in a network without per-address limits and login throttling.
func exempt(limits *plan.Limits, a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	for _, p := range limits.ExemptClients {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
