package kafka

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"

	"go.uber.org/zap"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/proxy"
)

// addresses gives every broker an address of its own at the gateway. The same broker always has the same one, on every
// replica and after every restart, because clients keep addresses.
type addresses struct {
	server  *proxy.Server
	brokers plan.Brokers
	host    string // of the socket, to bind the brokers' ports to

	mu    sync.Mutex
	ports map[int32]uint16 // of the brokers that have one
	told  map[int32]bool   // brokers that cannot be served, which has been logged
}

func newAddresses(server *proxy.Server) (*addresses, error) {
	p := server.State().Server
	host, _, err := net.SplitHostPort(p.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen address %q: %w", p.Listen, err)
	}
	return &addresses{server: server, brokers: p.Brokers, host: host,
		ports: make(map[int32]uint16), told: make(map[int32]bool)}, nil
}

// Broker returns what clients dial to reach a broker. It opens the port on first use; ok is false for a broker that
// cannot be served, which is then left out of answers.
func (a *addresses) Broker(id int32) (host string, port int32, ok bool) {
	advertise := a.server.Advertise()
	if a.brokers.SNI != "" {
		return strings.Replace(a.brokers.SNI, "{id}", strconv.Itoa(int(id)), 1), int32(advertise.Port), id >= 0
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	p, open := a.ports[id]
	if !open {
		if p, ok = a.open(id); !ok {
			return "", 0, false
		}
		a.ports[id] = p
	}
	return advertise.Host, int32(p), true
}

// open binds a broker's port. A failure is logged once for each broker, and tried again whenever somebody asks. Answers may
// name any id: no more of them get a port, or a log record, than there may be brokers.
func (a *addresses) open(id int32) (port uint16, ok bool) {
	port, err := a.portOf(id)
	if err == nil && len(a.ports) >= maxBrokers {
		err = fmt.Errorf("%d brokers are served already", maxBrokers)
	}
	if err == nil {
		bound, listenErr := a.server.Listen(id, net.JoinHostPort(a.host, strconv.Itoa(int(port))))
		if listenErr == nil {
			return bound.Port(), true
		}
		err = listenErr
	}
	if !a.told[id] && len(a.told) < maxBrokers {
		a.told[id] = true
		a.server.Log().Error("broker cannot be served", zap.Int32("broker", id), zap.Error(err))
	}
	return 0, false
}

// portOf is the port of a broker: the first plus its distance from the first id; 0 is any free one.
func (a *addresses) portOf(id int32) (uint16, error) {
	if a.brokers.First == 0 {
		return 0, nil
	}
	port := int64(a.brokers.First) + int64(id) - int64(a.brokers.FirstID)
	if port < int64(a.brokers.First) || port > int64(a.brokers.Last) {
		return 0, fmt.Errorf("its id is outside the range that ports %d-%d and firstId %d can serve; widen brokers.ports or set brokers.firstId",
			a.brokers.First, a.brokers.Last, a.brokers.FirstID)
	}
	return uint16(port), nil
}
