package proxy

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"

	"go.uber.org/zap"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/sasl"
)

// PlanError is a plan that cannot be run for what is in the files it points to: a certificate, a secret, credentials.
// Other errors of [New] are the machine's, such as a port in use.
type PlanError struct {
	Server string // name of the server it is about; empty for the whole plan
	Err    error
}

func (e *PlanError) Error() string {
	if e.Server == "" {
		return e.Err.Error()
	}
	return "server " + e.Server + ": " + e.Err.Error()
}

func (e *PlanError) Unwrap() error { return e.Err }

// Config is what a gateway is made of. Plan and Log are needed, and a protocol for every enforced server.
type Config struct {
	Plan      *plan.Plan
	Log       *zap.Logger // audit records go to its child "audit"
	Protocols []Protocol
	// Directory opens the credentials of a plan; nil: there are none. It is called again for each reload.
	Directory func(*plan.Plan) (sasl.Directory, error)
	// Tokens opens the judge of bearer tokens of a plan; nil: no token is good. It is called again for each reload.
	Tokens func(*plan.Plan) (sasl.Tokens, error)
}

// Gateway runs a plan.
type Gateway struct {
	config   Config
	log      *zap.Logger
	audit    *audit
	metrics  *gatewayMetrics
	tokens   *tokens
	throttle *throttle
	sockets  *sockets
	admin    *admin
	observed observed
	decoy    []byte

	instance string // begins the ids of connections: two runs never share one
	last     atomic.Uint64

	sessionsContext context.Context // ends when sessions are cut
	cancelSessions  context.CancelFunc
	draining        chan struct{} // closed when no more connections are to be accepted
	forced          chan struct{} // closed when nobody waits for the drain any more
	force           sync.Once

	reloading sync.Mutex // held by the one reload or drain that is under way

	mu       sync.Mutex
	plan     *plan.Plan
	servers  map[string]*Server // that have a socket of their own, by name
	sessions map[*Session]struct{}
	empty    chan struct{} // closed when the last session has ended after the drain began; nil before
}

// New loads what the plan points to, opens its sockets and fronts, and accepts no connection yet: that is for
// [Gateway.Run], which must be called to release them.
func New(config Config) (*Gateway, error) {
	g := &Gateway{
		config: config, log: config.Log, audit: newAudit(config.Log), metrics: newGatewayMetrics(),
		tokens: newTokens(), throttle: newThrottle(), decoy: randomDecoy(), instance: randomInstance(),
		draining: make(chan struct{}), forced: make(chan struct{}),
		plan: &plan.Plan{}, servers: make(map[string]*Server), sessions: make(map[*Session]struct{}),
	}
	g.sessionsContext, g.cancelSessions = context.WithCancel(context.Background())
	g.sockets = &sockets{gateway: g, open: make(map[string]*socket)}
	g.admin = &admin{gateway: g}
	if err := g.change(config.Plan); err != nil {
		g.cancelSessions()
		return nil, err
	}
	g.warnFiles(config.Plan)
	return g, nil
}

// warnFiles tells the operator when connections would run out of file descriptors before they run out of tokens: a
// client takes one descriptor, and the connection to its broker another.
func (g *Gateway) warnFiles(p *plan.Plan) {
	if files := openFiles(); files > 0 && uint64(p.Limits.Connections) > files/2 {
		g.log.Warn("limits.connections is more than half of the files that the process may open; raise the limit (ulimit -n) or lower limits.connections",
			zap.Int("connections", p.Limits.Connections), zap.Uint64("files", files))
	}
}

// Run accepts connections until ctx ends, then drains: it accepts no more, lets open connections finish for
// limits.Drain, and cuts the rest, which is ErrDrainForced.
func (g *Gateway) Run(ctx context.Context) error {
	g.sockets.run()
	g.admin.run()
	g.log.Info("ready", g.ready()...)
	var rechecking sync.WaitGroup
	rechecking.Go(func() { g.recheck(ctx) })
	<-ctx.Done()
	defer rechecking.Wait()
	return g.drain()
}

// readyServer is a server in the ready record, which is a contract: scripts read the ports from it.
type readyServer struct {
	Name      string `json:"name"`
	Listen    string `json:"listen"`
	Advertise string `json:"advertise"`
}

// ready is the record that says what is served where, with the ports that were bound.
func (g *Gateway) ready() []zap.Field {
	g.mu.Lock()
	defer g.mu.Unlock()
	servers := []readyServer{}
	for i := range g.plan.Servers {
		p := &g.plan.Servers[i]
		s := g.servers[p.Name]
		if p.SharesListener != "" {
			s = g.servers[p.SharesListener]
		}
		if !p.Enforced || s == nil {
			continue
		}
		advertise := p.Advertise
		if advertise.Port == 0 {
			advertise.Port = s.bound().Port()
		}
		servers = append(servers, readyServer{p.Name, s.bound().String(), joinAddress(advertise)})
	}
	fields := []zap.Field{zap.Any("servers", servers)}
	if addr := g.admin.addr(); addr != "" {
		fields = append(fields, zap.String("admin", addr))
	}
	return fields
}

func joinAddress(a plan.Address) string {
	if ip, err := netip.ParseAddr(a.Host); err == nil {
		return netip.AddrPortFrom(ip, a.Port).String()
	}
	return a.Host + ":" + strconv.Itoa(int(a.Port))
}

func randomInstance() string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// nextID is a new connection's id.
func (g *Gateway) nextID() string {
	return g.instance + "-" + strconv.FormatUint(g.last.Add(1), 36)
}

// add registers a session; false: the gateway is draining.
func (g *Gateway) add(s *Session) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.empty != nil {
		return false
	}
	g.sessions[s] = struct{}{}
	s.Metrics().open.Inc()
	return true
}

// remove forgets a session that has ended.
func (g *Gateway) remove(s *Session) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.sessions, s)
	s.Metrics().open.Dec()
	if g.empty != nil && len(g.sessions) == 0 {
		close(g.empty)
	}
}

// Open is how many client connections there are at this moment, whatever their stage.
func (g *Gateway) Open() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.sessions)
}

// all are the sessions of this moment.
func (g *Gateway) all() []*Session {
	g.mu.Lock()
	defer g.mu.Unlock()
	sessions := make([]*Session, 0, len(g.sessions))
	for s := range g.sessions {
		sessions = append(sessions, s)
	}
	return sessions
}
