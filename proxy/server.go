package proxy

import (
	"net/netip"

	"go.uber.org/zap"

	"github.com/asyncgate/asyncgate/plan"
)

// Server is one server of the plan while the gateway runs.
type Server struct{}

// Name is the server's name in the document.
func (s *Server) Name() string { return "" }

// State is what the server enforces today.
func (s *Server) State() *State { return nil }

// Log is the server's logger.
func (s *Server) Log() *zap.Logger { return nil }

// Metrics are the server's counters.
func (s *Server) Metrics() *Metrics { return nil }

// Advertise is the address that clients are told to dial for the bootstrap.
func (s *Server) Advertise() plan.Address { return plan.Address{} }

// Listen opens one more address of this server.
func (s *Server) Listen(broker int32, addr string) (netip.AddrPort, error) {
	return netip.AddrPort{}, nil
}
