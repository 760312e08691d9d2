package proxy

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// claimTime is how long an address of a replaced front waits for the new one to ask for it: long enough to learn the
// cluster anew, so that clients do not see a broker's port refuse them during a reload.
const claimTime = 30 * time.Second

// sockets are the listening sockets of the gateway. A socket outlives the server it was opened for: a reload that gives
// its address to another server only changes its owner, and no connection is refused meanwhile.
type sockets struct {
	gateway *Gateway
	loops   sync.WaitGroup

	mu      sync.Mutex
	running bool // accept loops may run
	closed  bool
	open    map[string]*socket
}

// socket is one listening socket.
type socket struct {
	key      string
	listener *net.TCPListener
	bound    netip.AddrPort
	owner    atomic.Pointer[owner] // nil while only a reload that has not succeeded yet wants it

	accepting bool // guarded by sockets.mu, as the next
	leftover  bool // of a replaced server, and not claimed by its successor yet
}

// owner is whose connections arrive at a socket.
type owner struct {
	server *Server
	broker int32
}

// claim finds or opens a socket. A live server becomes its owner at once, one that a reload is making when that succeeds.
func (s *sockets) claim(server *Server, c claim, live bool) (*socket, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errDraining
	}
	key, err := socketKey(server.name, c)
	if err != nil {
		return nil, err
	}
	found := s.open[key]
	if found != nil && live && !found.leftover {
		o := found.owner.Load()
		if o == nil {
			return nil, fmt.Errorf("address %s is wanted by a reload", c.addr)
		}
		return nil, fmt.Errorf("address %s is in use already, for %s", c.addr, o)
	}
	if found == nil {
		if found, err = listen(c.addr); err != nil {
			return nil, err
		}
		found.key = key
		s.open[key] = found
	}
	if live {
		s.own(found, &owner{server, c.broker})
	}
	return found, nil
}

// socketKey tells sockets apart: by address, or where the port is free, by what it is for.
func socketKey(server string, c claim) (string, error) {
	_, port, err := net.SplitHostPort(c.addr)
	if err != nil {
		return "", err
	}
	if port != "0" && port != "" {
		return c.addr, nil
	}
	return c.addr + " " + strconv.Itoa(int(c.broker)) + " " + server, nil
}

func listen(addr string) (*socket, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &socket{listener: l.(*net.TCPListener), bound: addressOf(l.Addr())}, nil
}

// String names the owner in errors.
func (o *owner) String() string {
	if o.broker == Bootstrap {
		return "server " + o.server.name
	}
	return "broker " + strconv.Itoa(int(o.broker)) + " of server " + o.server.name
}

// give makes o the owner of a socket.
func (s *sockets) give(to *socket, o *owner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.own(to, o)
}

func (s *sockets) own(k *socket, o *owner) {
	k.owner.Store(o)
	k.leftover = false
	s.accept(k)
}

// accept starts the accept loop of a socket that has an owner, once the gateway runs.
func (s *sockets) accept(k *socket) {
	if s.running && !s.closed && !k.accepting {
		k.accepting = true
		s.loops.Go(func() { s.gateway.acceptLoop(k) })
	}
}

// run starts the accept loops.
func (s *sockets) run() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = true
	for _, k := range s.open {
		s.accept(k)
	}
}

// settle closes, after a reload, the sockets of servers that it ended; where a server has a successor they go to it,
// which has claimTime to claim them. Sockets that have a new owner already are none of theirs.
func (s *sockets) settle(ended map[*Server]*Server) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.open {
		o := k.owner.Load()
		if o == nil {
			continue
		}
		successor, ended := ended[o.server]
		switch {
		case successor != nil:
			k.owner.Store(&owner{successor, o.broker})
			k.leftover = true
			time.AfterFunc(claimTime, func() { s.expire(k) })
		case ended:
			s.close(k)
		}
	}
}

// drop closes a socket that its server has moved away from, unless it has a new owner.
func (s *sockets) drop(k *socket, from *Server) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := k.owner.Load(); o != nil && o.server == from {
		s.close(k)
	}
}

// expire closes a socket that nobody has claimed.
func (s *sockets) expire(k *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k.leftover && s.open[k.key] == k {
		k.owner.Load().server.log.Info("address closed", zap.Stringer("listen", k.bound))
		s.close(k)
	}
}

func (s *sockets) close(k *socket) {
	_ = k.listener.Close()
	delete(s.open, k.key)
}

// abandon closes the sockets that only a failed reload wanted.
func (s *sockets) abandon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.open {
		if k.owner.Load() == nil {
			s.close(k)
		}
	}
}

// stop closes all sockets for good and waits for the accept loops.
func (s *sockets) stop() {
	s.mu.Lock()
	s.closed = true
	for _, k := range s.open {
		s.close(k)
	}
	s.mu.Unlock()
	s.loops.Wait()
}
