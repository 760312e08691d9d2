// Package proxy is the gateway without its protocols: listeners, connections and their stages, limits, audit, reload,
// drain, metrics and health.
//
// [New] takes a plan and the [Protocol] values it may need; [Gateway.Run] serves until its context ends and the open
// connections have drained. A connection passes the same stages whatever its protocol: accept (tokens and limits),
// PROXY protocol header, TLS, and then [Front.Serve] of the protocol, which authenticates through the mechanisms of
// the session's [State] and dials nothing before [Session.Admit] has said yes.
package proxy

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"time"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/policy"
	"github.com/asyncgate/asyncgate/sasl"
)

// Protocol is one wire protocol the gateway can stand in front of.
type Protocol interface {
	// Name is the protocol's name in logs and metrics, e.g. "kafka".
	Name() string
	// Speaks reports whether a server of the plan is this protocol's.
	Speaks(*plan.Server) bool
	// Open makes the front of one server. It must not wait for the upstream: a dead broker never stops the start.
	Open(*Server) (Front, error)
}

// Front is one server of a protocol. The gateway opens a new one when the server's upstream, brokers or advertised
// address change; sessions stay with the front they began on.
type Front interface {
	// Serve runs one connection until it ends, and closes nothing but what it opened itself. It returns when the
	// client or the upstream is gone, when the session was refused, or soon after ctx ends; nil is an ordinary end.
	Serve(ctx context.Context, s *Session) error
	// Close stops what the front runs besides its sessions. Open sessions go on.
	Close()
}

// Bootstrap is the broker id of a server's first address, the one that clients are configured with.
const Bootstrap int32 = -1

// State is what a server enforces at one moment. It never changes; a reload replaces it.
type State struct {
	Server     *plan.Server
	Limits     plan.Limits
	Mechanisms []sasl.Mechanism           // what SASL offers, strongest first; never EXTERNAL
	Passwords  map[string]*sasl.Passwords // what checks passwords without SASL, by road: sasl.Password, sasl.Basic
	Directory  sasl.Directory             // never nil
	Tokens     sasl.Tokens                // never nil
	TLS        *tls.Config                // nil: plaintext
	Admins     map[string]bool            // principals that may use admin APIs
	Rules      *policy.Rules              // what operations allow; nil: only connections are enforced
	Observe    bool                       // what the rules deny passes, and is recorded

	bearers map[string]bool      // roads outside of SASL on which tokens are taken
	names   names                // that clients may ask for in TLS
	ends    map[string]time.Time // when the files of TLS end, by kind
}

// Mechanism returns the offered mechanism of that exact name, or nil.
func (s *State) Mechanism(name string) sasl.Mechanism {
	for _, m := range s.Mechanisms {
		if m.Name() == name {
			return m
		}
	}
	return nil
}

// Session is one client connection, after its TLS handshake.
type Session struct {
	Conn   net.Conn             // a [stream.Direct] one on plaintext, so that a protocol can splice
	ID     string               // of the connection, in every log record about it
	Server *Server              // the server that was dialled
	State  *State               // as it was at accept; Current has today's
	Broker int32                // whose address was dialled; Bootstrap for the server's first address
	Remote netip.AddrPort       // the client, after any PROXY protocol header
	TLS    *tls.ConnectionState // nil on plaintext

	// Certificate is the principal of the verified client certificate: nil if none was shown or it maps to nobody.
	// CertificateErr then says which.
	Certificate    *sasl.Principal
	CertificateErr error

	live
}
