package proxy

import (
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/sasl"
)

// Reload takes a new plan over, with whatever its files hold now. On an error nothing has changed. Open connections go
// on unless the new state would not let them in; those end with an audit record each.
func (g *Gateway) Reload(p *plan.Plan) error {
	err := g.change(p)
	if err != nil {
		g.ReloadFailed(err)
		return err
	}
	g.metrics.reloads.Inc()
	g.metrics.reloaded(time.Now())
	g.log.Info("reloaded", g.ready()...)
	g.judge()
	return nil
}

// ReloadFailed notes that a new plan could not be taken over, in one log record and in the metrics. [Gateway.Reload]
// does so itself; it is for whoever could not even make a plan.
func (g *Gateway) ReloadFailed(err error) {
	g.metrics.reloadFailures.Inc()
	g.metrics.reloadOK.Set(0)
	g.log.Error("reload failed, the old state stays", zap.Error(err))
}

// judge ends the sessions that today's state would not let in.
func (g *Gateway) judge() {
	for _, s := range g.all() {
		if today := s.Server.today(); today.removed.Load() {
			s.leave(g.limits().Drain)
		} else if r := s.judge(today.state.Load()); r != nil {
			s.terminate(r)
		}
	}
}

// next is one server as a change will make it.
type next struct {
	server    *Server
	state     *State
	fresh     bool    // it has a front of its own already, and succeeds the server of that name if there is one
	bootstrap *socket // where a server that stays is moving to; nil: it is not
	addr      string  // of bootstrap
}

// change takes a plan over, or nothing of it.
func (g *Gateway) change(p *plan.Plan) error {
	g.reloading.Lock()
	defer g.reloading.Unlock()
	select {
	case <-g.draining:
		return errDraining
	default:
	}
	m, err := g.gather(p)
	if err != nil {
		return &PlanError{Err: err}
	}
	var nexts []*next
	admin, err := g.admin.listen(p.Admin)
	for i := range p.Servers {
		if s := &p.Servers[i]; err == nil && s.Enforced && s.SharesListener == "" {
			var n *next
			if n, err = g.prepare(m, s); n != nil {
				nexts = append(nexts, n)
			}
		}
	}
	if err == nil {
		err = disjoint(nexts)
	}
	if err != nil {
		for _, n := range nexts {
			n.discard()
		}
		g.sockets.abandon()
		g.admin.discard(admin)
		return err
	}
	g.commit(p, nexts)
	g.admin.swap(admin)
	return nil
}

// prepare makes one server of a plan without changing anything. With an error it may still return what to discard.
func (g *Gateway) prepare(m *materials, p *plan.Server) (*next, error) {
	state, err := m.state(p)
	if err != nil {
		return nil, &PlanError{p.Name, err}
	}
	protocol := g.protocol(p)
	if protocol == nil {
		return nil, &PlanError{p.Name, fmt.Errorf("protocol %s is not served", p.Protocol)}
	}
	made, err := fingerprint(p)
	if err != nil {
		return nil, &PlanError{p.Name, err}
	}
	g.mu.Lock()
	old := g.servers[p.Name]
	g.mu.Unlock()
	if old != nil && old.upstream == made {
		n := &next{server: old, state: state}
		if was := old.state.Load().Server.Listen; was != p.Listen {
			n.addr = p.Listen
			n.bootstrap, err = g.sockets.claim(old, claim{Bootstrap, p.Listen}, false)
		}
		return n, err
	}
	s := &Server{gateway: g, name: p.Name, protocol: protocol, upstream: made,
		log: g.log.With(zap.String("server", p.Name)), metrics: g.metrics.server(p.Name), claims: make(map[claim]*socket)}
	s.state.Store(state)
	n := &next{server: s, state: state, fresh: true}
	if _, err := s.claim(claim{Bootstrap, p.Listen}); err != nil {
		return n, fmt.Errorf("server %s: %w", p.Name, err)
	}
	if s.front, err = protocol.Open(s); err != nil {
		return n, &PlanError{p.Name, err}
	}
	return n, nil
}

func (g *Gateway) protocol(p *plan.Server) Protocol {
	for _, protocol := range g.config.Protocols {
		if protocol.Speaks(p) {
			return protocol
		}
	}
	return nil
}

// disjoint says whether no two servers want the same socket.
func disjoint(nexts []*next) error {
	of := make(map[*socket]string)
	for _, n := range nexts {
		for _, k := range n.sockets() {
			if other, taken := of[k]; taken {
				return &PlanError{n.server.name, fmt.Errorf("address %s is also wanted by server %s", k.bound, other)}
			}
			of[k] = n.server.name
		}
	}
	return nil
}

// sockets are those that the server will own.
func (n *next) sockets() []*socket {
	n.server.mu.Lock()
	defer n.server.mu.Unlock()
	var all []*socket
	for c, k := range n.server.claims {
		if n.bootstrap == nil || c.broker != Bootstrap {
			all = append(all, k)
		}
	}
	if n.bootstrap != nil {
		all = append(all, n.bootstrap)
	}
	return all
}

// discard ends a server that was prepared for nothing.
func (n *next) discard() {
	if !n.fresh {
		return
	}
	n.server.end(nil)
	if n.server.front != nil {
		n.server.front.Close()
	}
}

// commit makes what was prepared the gateway's. It cannot fail.
func (g *Gateway) commit(p *plan.Plan, nexts []*next) {
	g.mu.Lock()
	old := g.servers
	g.servers = make(map[string]*Server, len(nexts))
	for _, n := range nexts {
		g.servers[n.server.name] = n.server
	}
	live := g.servers
	g.plan = p
	g.mu.Unlock()

	ended := make(map[*Server]*Server)
	for name, s := range old {
		if live[name] != s {
			ended[s] = live[name]
			s.end(live[name])
		}
	}
	left := make(map[*Server]*socket) // what moved servers leave behind, for others perhaps
	for _, n := range nexts {
		n.server.state.Store(n.state)
		n.server.metrics.ends(n.state.ends)
		n.server.warnEnds(n.state)
		switch {
		case n.fresh:
			n.server.start()
		case n.bootstrap != nil:
			left[n.server] = n.server.move(n.addr, n.bootstrap)
			g.sockets.give(n.bootstrap, &owner{n.server, Bootstrap})
		}
	}
	for s, socket := range left {
		g.sockets.drop(socket, s)
	}
	g.sockets.settle(ended)
	for s := range ended {
		s.front.Close()
	}
}

// warnEnds tells the operator of files that have ended: clients will only say that they were refused.
func (s *Server) warnEnds(state *State) {
	for kind, end := range state.ends {
		if time.Now().After(end) {
			s.log.Warn("a file of the server's TLS has expired; replace it", zap.String("kind", kind), zap.Time("expired", end))
		}
	}
}

// limits are today's.
func (g *Gateway) limits() *plan.Limits {
	g.mu.Lock()
	defer g.mu.Unlock()
	return &g.plan.Limits
}

// leave ends a session whose server the plan no longer has: as in a drain of its own.
func (s *Session) leave(patience time.Duration) {
	s.drain()
	time.AfterFunc(patience, func() {
		s.Refuse(s.ctx, &sasl.Reject{Stage: sasl.StageSession, Code: "server-removed", Public: publicEnded, Private: "a reload has removed the server"})
		s.cut()
	})
}
