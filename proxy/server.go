package proxy

import (
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"

	"go.uber.org/zap"

	"github.com/asyncgate/asyncgate/plan"
)

// Server is one server of the plan while the gateway runs, with one front. A reload that needs another front makes
// another Server, which succeeds this one.
type Server struct {
	gateway  *Gateway
	name     string
	protocol Protocol
	front    Front
	upstream string // fingerprint of all that the front was made from
	log      *zap.Logger
	metrics  *Metrics

	state     atomic.Pointer[State]
	successor atomic.Pointer[Server]
	removed   atomic.Bool // a reload has ended it, and nothing succeeds it

	mu     sync.Mutex
	live   bool              // it is the gateway's server of that name; else a reload is still making it, or has ended it
	ended  bool              // a reload has replaced or removed it
	claims map[claim]*socket // the addresses of this server
}

// Name is the server's name in the document.
func (s *Server) Name() string { return s.name }

// State is what the server enforces today. It is never nil.
func (s *Server) State() *State { return s.today().state.Load() }

// today is the server that succeeded this one last, or itself.
func (s *Server) today() *Server {
	for next := s.successor.Load(); next != nil; next = s.successor.Load() {
		s = next
	}
	return s
}

// Log is the server's logger.
func (s *Server) Log() *zap.Logger { return s.log }

// Metrics are the server's numbers. They outlive reloads.
func (s *Server) Metrics() *Metrics { return s.metrics }

// Advertise is the address that clients are told to dial for the bootstrap. Where the plan leaves the port open it is
// the one that is bound.
func (s *Server) Advertise() plan.Address {
	s = s.today()
	a := s.state.Load().Server.Advertise
	if a.Port == 0 {
		a.Port = s.bound().Port()
	}
	return a
}

// bound is the address that the server's first listener is bound to.
func (s *Server) bound() netip.AddrPort {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c, socket := range s.claims {
		if c.broker == Bootstrap {
			return socket.bound
		}
	}
	return netip.AddrPort{}
}

// Listen opens one more address of this server, for one broker, and returns what it is bound to. Sessions from it carry
// the broker's id. It may be called from [Protocol.Open] on, and asking again for the same broker and address returns
// the same socket. After a reload that opened a new front an address stays open if the new front asks for it within
// half a minute.
func (s *Server) Listen(broker int32, addr string) (netip.AddrPort, error) {
	socket, err := s.claim(claim{broker, addr})
	if err != nil {
		return netip.AddrPort{}, err
	}
	return socket.bound, nil
}

// claim is an address that a server wants for one of its brokers, as the plan or the front writes it.
type claim struct {
	broker int32
	addr   string
}

// claim finds or opens the socket of an address.
func (s *Server) claim(c claim) (*socket, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return nil, fmt.Errorf("server %s: a reload has ended it", s.name)
	}
	if found := s.claims[c]; found != nil {
		return found, nil
	}
	found, err := s.gateway.sockets.claim(s, c, s.live)
	if err != nil {
		return nil, err
	}
	s.claims[c] = found
	return found, nil
}

// start makes the server the one that its sockets lead to.
func (s *Server) start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live = true
	for c, socket := range s.claims {
		s.gateway.sockets.give(socket, &owner{s, c.broker})
	}
}

// move replaces the server's first address and returns the socket of the one before.
func (s *Server) move(addr string, to *socket) (was *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.claims {
		if c.broker == Bootstrap {
			was = s.claims[c]
			delete(s.claims, c)
		}
	}
	s.claims[claim{Bootstrap, addr}] = to
	return was
}

// end keeps the server from opening further addresses. Its successor, if there is one, answers for it from now on.
func (s *Server) end(successor *Server) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live, s.ended = false, true
	if successor == nil {
		s.removed.Store(true)
		return
	}
	s.successor.Store(successor)
}
