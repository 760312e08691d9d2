package proxy

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"

	"go.uber.org/zap"

	"github.com/asyncgate/asyncgate/proxy/stream"
	"github.com/asyncgate/asyncgate/sasl"
)

// Bounds of the wait after a failed accept, as net/http has them: the usual reason is that the process has no file
// descriptor left, and asking again at once would burn a core until it has.
const (
	acceptWaitMin = 5 * time.Millisecond
	acceptWaitMax = time.Second
)

// acceptLoop takes a socket's connections until it is closed.
func (g *Gateway) acceptLoop(k *socket) {
	var wait time.Duration
	for {
		conn, err := k.listener.AcceptTCP()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			g.metrics.acceptErrors.Inc()
			if wait == 0 { // once for each spell of failures
				g.log.Error("cannot accept connections", zap.Stringer("listen", k.bound), zap.Error(err))
			}
			wait = min(max(2*wait, acceptWaitMin), acceptWaitMax)
			if !g.pause(wait) {
				return
			}
			continue
		}
		if wait > 0 {
			g.log.Info("accepting connections again", zap.Stringer("listen", k.bound))
			wait = 0
		}
		g.accept(conn, k.owner.Load())
	}
}

// pause waits, or returns false as soon as no more connections are to be accepted.
func (g *Gateway) pause(wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-g.draining:
		return false
	}
}

// accept takes the tokens of a connection and gives it a goroutine.
func (g *Gateway) accept(conn *net.TCPConn, o *owner) {
	state := o.server.State()
	s := &Session{
		Conn: stream.Direct(conn), ID: g.nextID(), Server: o.server, State: state, Broker: o.broker,
		Remote: addressOf(conn.RemoteAddr()),
	}
	s.tcp, s.until = conn, time.Now().Add(state.Limits.Handshake)
	s.ctx, s.cancel = context.WithCancel(g.sessionsContext)
	s.Metrics().accepted.Inc()
	if !g.tokens.connect(&state.Limits) {
		s.turnAway("gateway-connections", "the gateway has as many open connections as limits.connections allows")
		s.cancel()
		_ = conn.Close()
		return
	}
	// Behind a proxy the client is not known yet, and its limits apply once it is.
	ok := state.Server.ProxyProtocol || s.enter()
	if ok && !g.add(s) {
		ok = false
		s.turnAway("draining", "the gateway is draining")
	}
	if !ok {
		s.cancel()
		_ = conn.Close()
		s.release()
		return
	}
	go s.open()
}

// enter applies the limits of the client's address. Without a token the connection has been refused.
func (s *Session) enter() bool {
	g, limits, client := s.Server.gateway, &s.State.Limits, s.Remote.Addr()
	if exempt(limits, client) {
		return true
	}
	client, now := clientOf(client), time.Now()
	if g.throttle.blocked(client, now) {
		s.turnAway("address-blocked", "too many failed logins from this address within a minute")
		return false
	}
	switch code := g.tokens.enter(limits, client, now); code {
	case "":
		s.client = client
		return true
	case "address-rate":
		s.turnAway(code, "more new connections a second than limits.acceptRate allows an address")
	default:
		s.turnAway(code, "as many open connections as limits.perAddress allows an address")
	}
	return false
}

// turnAway refuses a connection before anything was read from it.
func (s *Session) turnAway(code, private string) {
	s.Refuse(s.ctx, &sasl.Reject{Stage: sasl.StageAccept, Code: code, Private: private})
}

// release gives the tokens of a connection back.
func (s *Session) release() {
	g := s.Server.gateway
	if s.client != (netip.Addr{}) {
		g.tokens.leave(s.client)
	}
	if s.admitted != "" {
		g.tokens.release(s.admitted)
	}
	g.tokens.disconnect()
}
