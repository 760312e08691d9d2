package mqtt_test

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/proxy"
	"github.com/asyncgate/asyncgate/proxy/mqtt"
	"github.com/asyncgate/asyncgate/sasl"
	"github.com/asyncgate/asyncgate/test/inprocess"
)

// patience bounds every wait of a test: far more than a busy machine takes.
const patience = 20 * time.Second

// goodKey is the API key of billing.
const goodKey = sasl.KeyPrefix + "abcdefghijkl_0123456789012345678901234567890123456789012"

// directory knows alice, bob and carol with the password NAME-secret, and billing by a key. What is revoked is unknown
// from then on.
type directory struct {
	*inprocess.Users
	mu      sync.Mutex
	revoked map[string]bool
}

func (d *directory) Key(key string) (*sasl.Account, error) {
	if key == goodKey {
		return &sasl.Account{Name: "billing", Credential: "key:billing"}, nil
	}
	return nil, sasl.ErrUnknown
}

func (d *directory) Certificate(c *x509.Certificate) (*sasl.Account, error) {
	return d.Users.Certificate(c)
}

func (d *directory) Check(p *sasl.Principal) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.revoked[p.Name] {
		return sasl.ErrRevoked
	}
	return nil
}

func (d *directory) revoke(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.revoked[name] = true
}

// Ways in.
var (
	passwords = way("userPassword", "", sasl.Password)
	basic     = way("http", "basic", sasl.Basic)
	keys      = way("apiKey", "password", sasl.Password)
	scram     = way("scramSha512", "", sasl.ScramSHA512)
	plain     = way("plain", "", sasl.Plain)
	x509Only  = way("X509", "", sasl.External)
)

func way(scheme, in string, mechanisms ...string) plan.Alternative {
	return plan.Alternative{Enabled: true, All: []plan.Requirement{{Type: scheme, In: in, Mechanisms: mechanisms}}}
}

// world is a gateway in front of an embedded broker.
type world struct {
	t         *testing.T
	gateway   *proxy.Gateway
	plan      *plan.Plan
	directory *directory
	logs      *observer.ObservedLogs
	addresses map[string]string
	drain     func()
	ended     chan error
}

// start runs a gateway with one server, "mqtt", that asks for user name and password in clear, before a broker at that
// URL; change edits the plan first.
func start(t *testing.T, broker string, change func(*plan.Plan)) *world {
	t.Helper()
	return startProtocol(t, broker, mqtt.New(), change)
}

// startWith is the same with rules.
func startWith(t *testing.T, broker string, decide mqtt.Decide, change func(*plan.Plan)) *world {
	t.Helper()
	return startProtocol(t, broker, mqtt.NewWith(decide), change)
}

func startProtocol(t *testing.T, broker string, protocol proxy.Protocol, change func(*plan.Plan)) *world {
	t.Helper()
	limits := plan.DefaultLimits()
	limits.Drain = 5 * time.Second
	limits.ExemptClients = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	p := &plan.Plan{Document: "test.yml", Limits: limits}
	add(p, "mqtt", broker, passwords)
	if change != nil {
		change(p)
	}
	w := &world{t: t, plan: p, ended: make(chan error, 1), addresses: map[string]string{},
		directory: &directory{Users: inprocess.NewUsers(t, "alice", "bob", "carol"), revoked: map[string]bool{}}}
	core, logs := observer.New(zapcore.InfoLevel)
	gateway, err := proxy.New(proxy.Config{Plan: p, Log: zap.New(core), Protocols: []proxy.Protocol{protocol},
		Directory: func(*plan.Plan) (sasl.Directory, error) { return w.directory, nil }, Tokens: tokensOf})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	w.gateway, w.logs, w.drain = gateway, logs, stop
	go func() { w.ended <- gateway.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		gateway.Force()
		select {
		case err := <-w.ended:
			if err != nil && !errors.Is(err, proxy.ErrDrainForced) {
				t.Errorf("the gateway ended: %v", err)
			}
		case <-time.After(patience):
			t.Error("the gateway does not end")
		}
	})
	ready := w.wait("ready", func(observer.LoggedEntry) bool { return true })
	for _, f := range ready.Context {
		if f.Key == "servers" {
			w.readServers(f.Interface)
		}
	}
	return w
}

// add appends a server in front of a broker.
func add(p *plan.Plan, name, broker string, ways ...plan.Alternative) *plan.Server {
	p.Servers = append(p.Servers, plan.Server{
		Name: name, Protocol: "mqtt", Enforced: true, Listen: "127.0.0.1:0", Advertise: plan.Address{Host: "127.0.0.1"},
		Alternatives: ways, Upstream: plan.Upstream{Bootstrap: []string{broker}, Identity: plan.IdentityService},
		MQTT: &plan.MQTT{ClientIDs: plan.DerivedIDs},
	})
	return &p.Servers[len(p.Servers)-1]
}

// wait returns the first log record of that message for which match is true.
func (w *world) wait(message string, match func(observer.LoggedEntry) bool) observer.LoggedEntry {
	w.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		for _, e := range w.logs.FilterMessage(message).All() {
			if match(e) {
				return e
			}
		}
		tick := time.NewTimer(5 * time.Millisecond)
		<-tick.C
	}
	for _, e := range w.logs.All() {
		w.t.Log(e.Message, e.ContextMap())
	}
	w.t.Fatalf("no such record %q", message)
	return observer.LoggedEntry{}
}

// refused waits for the audit record of a refusal with that code, and fails if there is more than one of the connection.
func (w *world) refused(code string) map[string]any {
	w.t.Helper()
	e := w.wait("refused", func(e observer.LoggedEntry) bool { return e.ContextMap()["code"] == code })
	fields := e.ContextMap()
	n := 0
	for _, other := range w.logs.FilterMessage("refused").All() {
		if other.ContextMap()["conn"] == fields["conn"] {
			n++
		}
	}
	if n != 1 {
		w.t.Errorf("%d records of one refusal", n)
	}
	return fields
}

// broker is an embedded broker that notes who connects.
type broker struct {
	*mochi.Server
	url   string
	notes *notes
}

type notes struct {
	mochi.HookBase
	mu       sync.Mutex
	connects []packets.Packet
	connack  func(*packets.Properties) // changes what the broker says of itself; nil: nothing
}

func (*notes) ID() string { return "notes" }
func (*notes) Provides(b byte) bool {
	return b == mochi.OnPacketEncode || b == mochi.OnConnect || b == mochi.OnConnectAuthenticate || b == mochi.OnACLCheck
}
func (*notes) OnConnectAuthenticate(*mochi.Client, packets.Packet) bool { return true }
func (*notes) OnACLCheck(*mochi.Client, string, bool) bool              { return true }
func (n *notes) OnConnect(_ *mochi.Client, p packets.Packet) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.connects = append(n.connects, p.Copy(true))
	return nil
}

func (n *notes) OnPacketEncode(_ *mochi.Client, p packets.Packet) packets.Packet {
	n.mu.Lock()
	defer n.mu.Unlock()
	if p.FixedHeader.Type == packets.Connack && n.connack != nil {
		n.connack(&p.Properties)
	}
	return p
}

// say changes what the broker says of itself in CONNACK.
func (n *notes) say(change func(*packets.Properties)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.connack = change
}

// last is the latest CONNECT that the broker has had.
func (n *notes) last(t *testing.T) packets.Packet {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.connects) == 0 {
		t.Fatal("nobody has connected to the broker")
	}
	return n.connects[len(n.connects)-1]
}

func (n *notes) count() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.connects)
}

// newBroker starts a broker.
func newBroker(t *testing.T, change func(*mochi.Capabilities)) *broker {
	t.Helper()
	capabilities := mochi.NewDefaultServerCapabilities()
	if change != nil {
		change(capabilities)
	}
	s := mochi.New(&mochi.Options{InlineClient: true, Capabilities: capabilities, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	n := &notes{}
	if err := s.AddHook(n, nil); err != nil {
		t.Fatal(err)
	}
	l := listeners.NewTCP(listeners.Config{ID: "tcp", Address: "127.0.0.1:0"})
	if err := errors.Join(s.AddListener(l), s.Serve()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return &broker{Server: s, url: "mqtt://" + l.Address(), notes: n}
}

// closed is the URL of a port where nobody listens.
func closed(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "mqtt://" + l.Addr().String()
}
