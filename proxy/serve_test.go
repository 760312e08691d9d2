package proxy_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/policy"
	"github.com/asyncgate/asyncgate/proxy"
	"github.com/asyncgate/asyncgate/sasl"
)

func TestReadyRecordNamesTheBoundPorts(t *testing.T) {
	p := open()
	p.Servers = append(p.Servers, p.Servers[0], p.Servers[0], plan.Server{Name: "off", Note: "switched off"})
	p.Servers[1].Name, p.Servers[1].Advertise = "other", plan.Address{Host: "2001:db8::1", Port: 9092}
	p.Servers[2].Name, p.Servers[2].SharesListener = "alias", "main"
	s := begin(t, p)
	if len(s.servers) != 3 || strings.HasSuffix(s.servers["main"].Listen, ":0") {
		t.Fatalf("ready: %v", s.servers)
	}
	_, port, _ := strings.Cut(s.servers["main"].Listen, ":")
	for name, advertise := range map[string]string{"main": "gateway.test:" + port, "alias": "gateway.test:" + port, "other": "[2001:db8::1]:9092"} {
		if got := s.servers[name].Advertise; got != advertise {
			t.Errorf("server %s advertises %s, want %s", name, got, advertise)
		}
	}
	if s.servers["alias"].Listen != s.servers["main"].Listen {
		t.Error("a server without a listener of its own is reached at another address")
	}
}

func TestPlainConnectionsAreDirectTCP(t *testing.T) {
	begin(t, open()).dial().want("conn", "*stream.TCP")
}

func TestALoginIsOneAuditRecord(t *testing.T) {
	s := begin(t, users())
	c := s.dial()
	c.want("login alice", "welcome")
	c.want("login alice", "welcome")
	c.want("login bob", "refused principal-changed")
	c.closed()
	logins := s.log.awaitAll(t, 2, "logger", "audit", "msg", "login")
	if first := logins[0]; first["principal"] != "alice" || first["mechanism"] != "PLAIN" || first["decision"] != "allow" || first["server"] != "main" || first["code"] != "" {
		t.Errorf("login: %v", first)
	}
	if second := logins[1]; second["code"] != "renewed" {
		t.Errorf("re-authentication: %v", second)
	}
	if r := s.audit("principal-changed"); r["principal"] != "alice" {
		t.Errorf("refusal: %v", r)
	}
}

func TestARefusedConnectionIsOneAuditRecord(t *testing.T) {
	s := begin(t, users())
	c := s.dial()
	c.want("fail mallory\x1b[31m"+strings.Repeat("x", 300), "refused")
	c.closed()
	r := s.audit(sasl.CodeWrongPassword)
	claimed := r["claimed"].(string)
	if !strings.HasPrefix(claimed, `"mallory\x1b[31m`) || len(claimed) > 150 || r["stage"] != "login" || r["principal"] != "" {
		t.Errorf("refusal: %v", r)
	}
}

func TestWhoLeavesBeforeTheLoginIsOneAuditRecord(t *testing.T) {
	s := begin(t, users())
	s.dial().Close()
	s.audit("left")
}

func TestARefusedRequestLeavesTheConnectionOpen(t *testing.T) {
	s := begin(t, open())
	c := s.dial()
	c.want("guest", "welcome")
	c.want("deny payroll", "denied")
	if r := s.audit("not-allowed"); r["api"] != "Produce" || r["resource"] != "payroll" || r["principal"] != policy.Anonymous {
		t.Errorf("refusal: %v", r)
	}
}

func TestASilentClientIsGoneAtTheHandshakeDeadline(t *testing.T) {
	p := users()
	p.Limits.Handshake = 50 * time.Millisecond
	s := begin(t, p)
	s.dial().closed()
	s.audit("timeout")
}

func TestAdmissionEndsTheHandshakeDeadline(t *testing.T) {
	p := users()
	p.Limits.Handshake = 50 * time.Millisecond
	s := begin(t, p)
	c := s.dial()
	c.want("login alice", "welcome")
	s.dial().closed() // whose deadline comes later
	c.want("echo still here", "still here")
}

func TestAPanicCostsOneConnection(t *testing.T) {
	for _, verb := range []string{"panic", "panic-aside", "panic-on-another-stack"} {
		t.Run(verb, func(t *testing.T) {
			s := begin(t, users())
			other := s.dial()
			other.want("login alice", "welcome")
			c := s.dial()
			c.want("login bob", "welcome")
			if _, err := c.try(verb); err == nil {
				t.Error("there was an answer")
			}
			c.closed()
			s.audit("panic")
			other.want("echo still here", "still here")
			if stack := s.log.await(t, "connection ended by a panic", 1)[0]["stack"]; !strings.Contains(fmt.Sprint(stack), "answer") {
				t.Errorf("the stack does not lead to the fault: %v", stack)
			}
		})
	}
}

func TestALoginEndsWithItsCredential(t *testing.T) {
	s := begin(t, users())
	s.directory.expires = time.Now().Add(100 * time.Millisecond)
	c := s.dial()
	c.want("login alice", "welcome")
	c.closed()
	s.audit("expired")
}

func TestRenewalMovesTheEndOfALogin(t *testing.T) {
	p := users()
	p.Servers[0].MaxSession = 300 * time.Millisecond
	p.Limits.Handshake = 300 * time.Millisecond // how late a renewal may come
	s := begin(t, p)
	other, c := s.dial(), s.dial()
	other.want("login bob", "welcome")
	c.want("login alice", "welcome")
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		other.closed()
	}()
	for renewing := true; renewing; {
		select {
		case <-ended:
			renewing = false
		case <-time.After(50 * time.Millisecond):
			c.want("login alice", "welcome")
		}
	}
	c.want("echo still here", "still here")
	s.audit("expired")
}

func TestBrokersHaveAddressesOfTheirOwn(t *testing.T) {
	p := open()
	s := &stage{t: t, protocol: &lines{ready: make(chan *proxy.Server, 1)}, log: newRecorder(), directory: &people{}, ended: make(chan error, 1)}
	s.beginWith(p)
	server := <-s.protocol.ready
	first, err := server.Listen(3, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	again, err := server.Listen(3, "127.0.0.1:0")
	if err != nil || again != first {
		t.Fatalf("asked again: %v, %v; was %v", again, err, first)
	}
	if second, err := server.Listen(4, "127.0.0.1:0"); err != nil || second == first {
		t.Fatalf("another broker: %v, %v", second, err)
	}
	s.dialAddr(first.String()).want("broker", "3")
	s.dial().want("broker", "-1")
	if _, err := server.Listen(5, first.String()); err == nil {
		t.Error("an address that is taken was given again")
	}
}

func TestStartFailsOnAPortInUse(t *testing.T) {
	s := begin(t, open())
	p := open()
	p.Servers[0].Listen = s.servers["main"].Listen
	_, err := proxy.New(s.config(p))
	if wrong := (*proxy.PlanError)(nil); err == nil || errors.As(err, &wrong) || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("error: %v", err)
	}
}

func TestStartFailsOnWhatThePlanPointsTo(t *testing.T) {
	s := &stage{t: t, protocol: &lines{}, log: newRecorder(), directory: &people{}}
	for name, c := range map[string]struct {
		change func(*plan.Plan)
		want   string
	}{
		"a missing decoy secret":   {func(p *plan.Plan) { p.DecoySecret = "file:/nowhere/decoy.key" }, "decoySecret: open /nowhere/decoy.key: no such file or directory"},
		"a secret in the plan":     {func(p *plan.Plan) { p.DecoySecret = "hunter2" }, "decoySecret: a secret is given as file:PATH or env:NAME, never itself"},
		"a protocol nobody speaks": {func(p *plan.Plan) { p.Servers[0].Protocol = "gopher" }, "server main: protocol gopher is not served"},
		"a mechanism nobody has":   {func(p *plan.Plan) { *p = *users(); p.Servers[0].Alternatives[0].All[0].Mechanisms = []string{"GSSAPI"} }, "server main: mechanism GSSAPI is not supported"},
		"a missing certificate": {func(p *plan.Plan) {
			p.Servers[0].TLS = &plan.TLS{Certificate: "/nowhere/gw.pem", Key: "/nowhere/gw.key"}
		}, "server main: open /nowhere/gw.pem: no such file or directory"},
		"a missing upstream CA": {func(p *plan.Plan) { p.Servers[0].Upstream.TLS = &plan.UpstreamTLS{CA: "/nowhere/ca.pem"} }, "server main: open /nowhere/ca.pem: no such file or directory"},
		"two servers at one address": {func(p *plan.Plan) {
			p.Servers[0].Listen = free(t)
			p.Servers = append(p.Servers, p.Servers[0])
			p.Servers[1].Name = "other"
		}, "is also wanted by server main"},
	} {
		t.Run(name, func(t *testing.T) {
			p := open()
			c.change(p)
			_, err := proxy.New(s.config(p))
			if wrong := (*proxy.PlanError)(nil); !errors.As(err, &wrong) || !strings.HasSuffix(err.Error(), c.want) {
				t.Errorf("error: %v\nwant: %s", err, c.want)
			}
		})
	}
}
