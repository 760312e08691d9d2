package proxy_test

import (
	"bufio"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/policy"
	"github.com/asyncgate/asyncgate/proxy"
	"github.com/asyncgate/asyncgate/sasl"
)

func TestMain(m *testing.M) {
	if os.Getenv(starvedEnv) != "" {
		os.Exit(starved())
	}
	goleak.VerifyTestMain(m)
}

// patience is how long a test waits for what must happen.
const patience = 5 * time.Second

// The line protocol of these tests: a request is a line, and so is its answer.
//
//	login NAME    logs NAME in by SASL and answers "welcome", or "refused CODE"
//	fail NAME     a failed login of NAME: "refused"
//	certificate   uses the client certificate
//	guest         uses the server's being open to everyone
//	echo WORDS    answers WORDS
//	deny TOPIC    a refused request
//	broker        the broker whose address was dialled
//	remote        the client's address
//	conn          the type of the connection
//	front         the number of the front that serves this connection
//	mechanisms    what SASL offers today
//	stubborn      no longer cares whether the gateway drains
//	panic         panics; panic-aside panics in a goroutine of the session's
type lines struct {
	mu    sync.Mutex
	opens int
	ready chan *proxy.Server // if not nil, told of each server that is opened
	fails error
}

func (*lines) Name() string               { return "lines" }
func (*lines) Speaks(s *plan.Server) bool { return strings.HasPrefix(s.Protocol, "kafka") }

func (l *lines) Open(s *proxy.Server) (proxy.Front, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fails != nil {
		return nil, l.fails
	}
	l.opens++
	if l.ready != nil {
		l.ready <- s
	}
	return &linesFront{number: l.opens}, nil
}

func (l *lines) setFails(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fails = err
}

type linesFront struct{ number int }

func (*linesFront) Close() {}

func (f *linesFront) Serve(ctx context.Context, s *proxy.Session) error {
	s.AfterDraining(func() { _ = s.Conn.SetReadDeadline(time.Unix(1, 0)) })
	in := bufio.NewReaderSize(s.Conn, 256)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return err
		}
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		answer, more := f.answer(ctx, s, verb, rest)
		if _, err := io.WriteString(s.Conn, answer+"\n"); err != nil || !more {
			return err
		}
	}
}

func (f *linesFront) answer(ctx context.Context, s *proxy.Session, verb, rest string) (answer string, more bool) {
	switch verb {
	case "login":
		p := &sasl.Principal{Name: rest, Mechanism: sasl.Plain, Kind: sasl.KindUser, Credential: "user:" + rest}
		if d, ok := s.Current().Directory.(*people); ok {
			p.Expires = d.expires
		}
		return f.admit(ctx, s, s.Certificate, p)
	case "certificate":
		return f.admit(ctx, s, s.Certificate, nil)
	case "guest":
		return f.admit(ctx, s, nil, nil)
	case "fail":
		s.Refuse(ctx, &sasl.Reject{Stage: sasl.StageLogin, Code: sasl.CodeWrongPassword, Private: "wrong password", Claimed: rest})
		return "refused", false
	case "echo":
		return rest, true
	case "deny":
		s.Deny("Produce", rest, &sasl.Reject{Stage: sasl.StageRequest, Code: "not-allowed", Private: "no rule"})
		return "denied", true
	case "broker":
		return fmt.Sprint(s.Broker), true
	case "remote":
		return s.Remote.String(), true
	case "conn":
		return fmt.Sprintf("%T", s.Conn), true
	case "front":
		return fmt.Sprint(f.number), true
	case "mechanisms":
		var names []string
		for _, m := range s.Current().Mechanisms {
			names = append(names, m.Name())
		}
		return strings.Join(names, " "), true
	case "stubborn":
		s.AfterDraining(func() {})
		return "as a mule", true
	case "panic":
		panic("asked to")
	case "panic-aside":
		s.Go(func() { panic("asked to, aside") })
		_, _ = io.Copy(io.Discard, s.Conn) // until it is cut
		return "unseen", false
	case "panic-on-another-stack":
		s.Aside(func() { panic("asked to, on another stack") })
		<-ctx.Done()
		return "unseen", false
	}
	return "what?", false
}

func (f *linesFront) admit(ctx context.Context, s *proxy.Session, certificate, login *sasl.Principal) (string, bool) {
	p, reject := policy.Admit(s.Current().Server, certificate, login)
	if reject == nil {
		reject = s.Admit(p)
	}
	if reject != nil {
		s.Refuse(ctx, reject)
		return "refused " + reject.Code, false
	}
	return "welcome", true
}

// people is a directory of tests. Revoked are credentials.
type people struct {
	revoked map[string]bool
	mapped  map[string]string // common name of a certificate to its principal
	expires time.Time
}

func (*people) Scram(string, sasl.Hash) (*sasl.ScramEntry, error) { return nil, sasl.ErrUnknown }
func (*people) Key(string) (*sasl.Account, error)                 { return nil, sasl.ErrUnknown }
func (*people) Iterations(sasl.Hash) int                          { return 4096 }

func (p *people) Certificate(c *x509.Certificate) (*sasl.Account, error) {
	if name, ok := p.mapped[c.Subject.CommonName]; ok {
		return &sasl.Account{Name: name, Credential: "certificate:" + name}, nil
	}
	return nil, sasl.ErrUnknown
}

func (p *people) Check(who *sasl.Principal) error {
	if p.revoked[who.Credential] {
		return sasl.ErrRevoked
	}
	return nil
}

// stage is a running gateway with everything a test looks at.
type stage struct {
	t         *testing.T
	gateway   *proxy.Gateway
	protocol  *lines
	log       *recorder
	directory *people
	stop      context.CancelFunc
	ended     chan error
	admin     string
	servers   map[string]where
}

type where struct{ Listen, Advertise string }

// open is a plan of one server that lets everyone in.
func open() *plan.Plan {
	limits := plan.DefaultLimits()
	limits.Drain = patience
	return &plan.Plan{Limits: limits, Admin: "127.0.0.1:0", Servers: []plan.Server{{
		Name: "main", Protocol: "kafka", Enforced: true, Listen: "127.0.0.1:0", AllowAnonymous: true,
		Advertise: plan.Address{Host: "gateway.test"},
	}}}
}

// users is a plan of one server with user names and passwords.
func users() *plan.Plan {
	p := open()
	p.Servers[0].AllowAnonymous = false
	p.Servers[0].Alternatives = []plan.Alternative{{Enabled: true, All: []plan.Requirement{
		{Type: "userPassword", Mechanisms: []string{sasl.Plain}}}}}
	return p
}

// begin starts a gateway and waits until it is ready; the test's end drains it.
func begin(t *testing.T, p *plan.Plan) *stage {
	t.Helper()
	s := &stage{t: t, protocol: &lines{}, log: newRecorder(), directory: &people{}, ended: make(chan error, 1)}
	s.beginWith(p)
	return s
}

func (s *stage) beginWith(p *plan.Plan) {
	t := s.t
	t.Helper()
	var err error
	s.gateway, err = proxy.New(s.config(p))
	if err != nil {
		t.Fatal(err)
	}
	var ctx context.Context
	ctx, s.stop = context.WithCancel(context.Background())
	go func() { s.ended <- s.gateway.Run(ctx) }()
	t.Cleanup(func() {
		s.stop()
		s.gateway.Force()
		select {
		case err := <-s.ended:
			s.ended <- err
		case <-time.After(patience):
			t.Error("the gateway does not stop")
		}
	})
	s.readReady(s.log.await(t, "ready", 1)[0])
}

// free is an address that was free a moment ago.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (s *stage) config(p *plan.Plan) proxy.Config {
	return proxy.Config{Plan: p, Log: zap.New(s.log), Protocols: []proxy.Protocol{s.protocol},
		Directory: func(*plan.Plan) (sasl.Directory, error) { return s.directory, nil }}
}

func (s *stage) readReady(record map[string]any) {
	s.admin, _ = record["admin"].(string)
	s.servers = make(map[string]where)
	for _, one := range record["servers"].([]any) {
		m := one.(map[string]any)
		s.servers[m["name"].(string)] = where{m["listen"].(string), m["advertise"].(string)}
	}
}

// dial connects to the server "main".
func (s *stage) dial() *client {
	s.t.Helper()
	return s.dialAddr(s.servers["main"].Listen)
}

func (s *stage) dialAddr(addr string) *client {
	s.t.Helper()
	conn, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		s.t.Fatal(err)
	}
	return newClient(s.t, conn)
}

// client speaks the line protocol.
type client struct {
	net.Conn
	t  *testing.T
	in *bufio.Reader
}

func newClient(t *testing.T, conn net.Conn) *client {
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(2 * patience))
	return &client{Conn: conn, t: t, in: bufio.NewReader(conn)}
}

// ask sends a line and returns the answer.
func (c *client) ask(line string) string {
	c.t.Helper()
	answer, err := c.try(line)
	if err != nil {
		c.t.Fatalf("%q: %v", line, err)
	}
	return answer
}

func (c *client) try(line string) (string, error) {
	if _, err := io.WriteString(c, line+"\n"); err != nil {
		return "", err
	}
	answer, err := c.in.ReadString('\n')
	return strings.TrimSpace(answer), err
}

// want asks and compares.
func (c *client) want(line, answer string) {
	c.t.Helper()
	if got := c.ask(line); got != answer {
		c.t.Fatalf("%q was answered with %q, want %q", line, got, answer)
	}
}

// closed waits for the end of the connection.
func (c *client) closed() {
	c.t.Helper()
	if b, err := io.ReadAll(c.in); errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Fatal("the connection stays open")
	} else if len(b) > 0 {
		c.t.Fatalf("there was more to read: %q", b)
	}
}

// recorder is a zap core that keeps records as an operator would see them: as JSON.
type recorder struct {
	zapcore.Core
	lines *recorded
}

type recorded struct {
	mu      sync.Mutex
	records []map[string]any
	raw     strings.Builder
}

func (r *recorded) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.raw.Write(b)
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		return 0, err
	}
	r.records = append(r.records, m)
	return len(b), nil
}

func newRecorder() *recorder {
	c := zap.NewProductionEncoderConfig()
	lines := &recorded{}
	return &recorder{zapcore.NewCore(zapcore.NewJSONEncoder(c), zapcore.AddSync(lines), zapcore.DebugLevel), lines}
}

// find returns the records that hold all of the pairs of key and value.
func (r *recorder) find(pairs ...string) []map[string]any {
	r.lines.mu.Lock()
	defer r.lines.mu.Unlock()
	var found []map[string]any
next:
	for _, m := range r.lines.records {
		for i := 0; i < len(pairs); i += 2 {
			if m[pairs[i]] != pairs[i+1] {
				continue next
			}
		}
		found = append(found, m)
	}
	return found
}

// await waits for n records with a message.
func (r *recorder) await(t *testing.T, message string, n int) []map[string]any {
	t.Helper()
	return r.awaitAll(t, n, "msg", message)
}

func (r *recorder) awaitAll(t *testing.T, n int, pairs ...string) []map[string]any {
	t.Helper()
	eventually(t, fmt.Sprintf("%d records of %v", n, pairs), func() bool { return len(r.find(pairs...)) >= n })
	return r.find(pairs...)
}

// audit waits for exactly one refusal and returns it.
func (s *stage) audit(code string) map[string]any {
	s.t.Helper()
	s.log.awaitAll(s.t, 1, "logger", "audit", "decision", "deny")
	all := s.log.find("logger", "audit", "decision", "deny")
	if len(all) != 1 || all[0]["code"] != code {
		s.t.Fatalf("audit records of refusals: %v, want one with the code %s", all, code)
	}
	return all[0]
}

func rewrite(path, content string) error { return os.WriteFile(path, []byte(content), 0o600) }

// eventually polls a condition.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !condition(); <-time.After(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

// write writes a file and returns its path.
func write(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
