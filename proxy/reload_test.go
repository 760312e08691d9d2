package proxy_test

import (
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/proxy"
	"github.com/asyncgate/asyncgate/sasl"
)

// reload takes a plan over that is like the running one but for the change, addresses included.
func (s *stage) reload(p *plan.Plan) {
	s.t.Helper()
	if err := s.gateway.Reload(p); err != nil {
		s.t.Fatal(err)
	}
	reloads := s.log.find("msg", "reloaded")
	s.readReady(reloads[len(reloads)-1])
}

func TestReloadKeepsConnectionsAndPorts(t *testing.T) {
	s := begin(t, users())
	c := s.dial()
	c.want("login alice", "welcome")
	before := s.servers["main"]
	p := users()
	p.Limits.PerAddress = 5
	s.reload(p)
	if s.servers["main"] != before {
		t.Errorf("the server has moved from %v to %v", before, s.servers["main"])
	}
	c.want("echo still here", "still here")
	c.want("front", "1")
	s.dial().want("front", "1")
}

func TestReloadOpensANewFrontOnlyForAnotherUpstreamOrAddress(t *testing.T) {
	secret := write(t, "gw.pass", []byte("one\n"))
	p := users()
	p.Servers[0].Upstream = plan.Upstream{Bootstrap: []string{"kafka:9092"}, SASL: &plan.UpstreamSASL{Password: plan.Secret("file:" + secret)}}
	s := begin(t, p)
	old := s.dial()
	old.want("front", "1")
	next := func(change func(*plan.Server)) *plan.Plan {
		q := users()
		q.Servers[0].Upstream = p.Servers[0].Upstream
		change(&q.Servers[0])
		return q
	}
	for _, step := range []struct {
		name   string
		change func(*plan.Server)
		front  string
	}{
		{"nothing", func(*plan.Server) {}, "1"},
		{"what clients must prove", func(p *plan.Server) { p.RequireAll = true }, "1"},
		{"another upstream", func(p *plan.Server) { p.Upstream.Bootstrap = []string{"kafka:9093"} }, "2"},
		{"other brokers", func(p *plan.Server) { p.Upstream.Bootstrap = []string{"kafka:9093"}; p.Brokers.FirstID = 1 }, "3"},
		{"another advertised address", func(p *plan.Server) { p.Advertise.Host = "other.test" }, "4"},
	} {
		s.reload(next(step.change))
		if got := s.dial().ask("front"); got != step.front {
			t.Errorf("%s: front %s serves, want %s", step.name, got, step.front)
		}
	}
	last := next(func(p *plan.Server) { p.Advertise.Host = "other.test" })
	if err := rewrite(secret, "two\n"); err != nil {
		t.Fatal(err)
	}
	s.reload(last)
	s.dial().want("front", "5")
	old.want("front", "1")
	old.want("login alice", "welcome")
}

func TestAFailedReloadChangesNothing(t *testing.T) {
	p := users()
	s := begin(t, p)
	c := s.dial()
	c.want("login alice", "welcome")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	fresh := free(t)
	failures := 0.0
	for name, change := range map[string]func(*plan.Plan){
		"a port in use":       func(p *plan.Plan) { p.Servers[1].Listen = taken.Addr().String() },
		"a secret is gone":    func(p *plan.Plan) { p.DecoySecret = "file:/nowhere" },
		"a certificate":       func(p *plan.Plan) { p.Servers[1].TLS = &plan.TLS{Certificate: "/nowhere", Key: "/nowhere"} },
		"the admin address":   func(p *plan.Plan) { p.Admin = taken.Addr().String() },
		"two at one address":  func(p *plan.Plan) { p.Servers[0].Listen = fresh },
		"the front will not":  func(*plan.Plan) { s.protocol.setFails(errors.New("cannot")) },
		"no such protocol":    func(p *plan.Plan) { p.Servers[1].Protocol = "gopher" },
		"no such mechanism":   func(p *plan.Plan) { p.Servers[1].Alternatives[0].All[0].Mechanisms = []string{"NTLM"} },
		"the first is broken": func(p *plan.Plan) { p.Servers[0].Protocol = "gopher" },
	} {
		q := users()
		q.Servers = append(q.Servers, users().Servers[0])
		q.Servers[1].Name, q.Servers[1].Listen = "other", fresh
		q.Servers[0].Upstream.Bootstrap = []string{"elsewhere:9092"}
		q.Limits.Connections = 1
		change(q)
		if err := s.gateway.Reload(q); err == nil {
			t.Errorf("%s: the reload succeeded", name)
		}
		s.protocol.setFails(nil)
		failures++
		if got := s.metric(`asyncgate_reloads_total{result="failure"}`); got != failures {
			t.Errorf("%s: %v failures are counted", name, got)
		}
	}
	if got := len(s.log.find("msg", "reload failed, the old state stays")); got != int(failures) {
		t.Errorf("%d records of %v failures", got, failures)
	}
	if s.metric("asyncgate_last_reload_success") != 0 {
		t.Error("the gauge says that the last reload succeeded")
	}
	c.want("echo still here", "still here")
	s.dial().want("front", "1")
	if conn, err := net.Dial("tcp", fresh); err == nil {
		conn.Close()
		t.Error("an address of a failed reload is open")
	}
	s.reload(users())
	if s.metric("asyncgate_last_reload_success") != 1 {
		t.Error("the gauge says that the last reload failed")
	}
}

func TestReloadEndsTheSessionsItNoLongerAdmits(t *testing.T) {
	scram := []plan.Alternative{{Enabled: true, All: []plan.Requirement{{Type: "scramSha512", Mechanisms: []string{sasl.ScramSHA512}}}}}
	for _, c := range []struct {
		name   string
		change func(*stage, *plan.Plan)
		code   string
	}{
		{"a revoked credential", func(s *stage, _ *plan.Plan) { s.directory = &people{revoked: map[string]bool{"user:alice": true}} }, "revoked"},
		{"another mechanism", func(_ *stage, p *plan.Plan) { p.Servers[0].Alternatives = scram }, "wrong-scheme"},
		{"a scope", func(_ *stage, p *plan.Plan) { p.Servers[0].Alternatives[0].All[0].Scopes = []string{"more"} }, "missing-scope"},
		{"TLS", func(s *stage, p *plan.Plan) { p.Servers[0].TLS = newTrust(s.t).tls }, "tls-required"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := begin(t, users())
			client, stranger := s.dial(), s.dial()
			client.want("login alice", "welcome")
			stranger.want("echo not logged in yet", "not logged in yet")
			p := users()
			c.change(s, p)
			s.reload(p)
			client.closed()
			if r := s.audit(c.code); r["stage"] != "session" || r["principal"] != "alice" {
				t.Errorf("refusal: %v", r)
			}
			stranger.want("echo nor judged", "nor judged")
		})
	}
}

func TestReloadEndsTheSessionsOfRevokedCertificates(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*trust, *stage, *plan.TLS)
		code   string
	}{
		{"by the revocation list", func(tr *trust, _ *stage, p *plan.TLS) {
			crl, err := tr.ca.Revoke(time.Now().Add(time.Hour), tr.client(tr.ca, "other").Leaf, tr.issued)
			if err != nil {
				t.Fatal(err)
			}
			p.CRL = write(t, "clients.crl", crl)
		}, "certificate-revoked"},
		{"by another CA", func(tr *trust, _ *stage, p *plan.TLS) { p.ClientCA = write(t, "clients.pem", tr.foreign.PEM()) }, "certificate-authority"},
		{"by the credentials", func(_ *trust, s *stage, _ *plan.TLS) {
			s.directory = &people{revoked: map[string]bool{"certificate:alice": true}}
		}, "revoked"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := newTrust(t)
			s := begin(t, tr.plan())
			s.directory.mapped = map[string]string{"alice": "alice"}
			alice := tr.client(tr.ca, "alice")
			tr.issued = alice.Leaf
			client := s.mustDialTLS(tr.config(alice))
			client.want("certificate", "welcome")
			changed := *tr.tls
			c.change(tr, s, &changed)
			p := tr.plan()
			p.Servers[0].TLS = &changed
			s.reload(p)
			client.closed()
			s.audit(c.code)
		})
	}
}

func TestReloadRemovesAddsAndMovesServers(t *testing.T) {
	p := users()
	p.Servers = append(p.Servers, users().Servers[0])
	p.Servers[1].Name = "other"
	s := begin(t, p)
	gone := s.dialAddr(s.servers["other"].Listen)
	gone.want("login alice", "welcome")
	stays := s.dial()
	stays.want("login alice", "welcome")
	was := s.servers

	q := users()
	q.Servers[0].Listen = free(t)
	q.Servers = append(q.Servers, users().Servers[0])
	q.Servers[1].Name = "new"
	s.reload(q)
	gone.closed()
	stays.want("echo still here", "still here")
	s.dial().want("front", "1")
	s.dialAddr(s.servers["new"].Listen).want("front", "3")
	for _, addr := range []string{was["main"].Listen, was["other"].Listen} {
		if conn, err := net.Dial("tcp", addr); err == nil {
			conn.Close()
			t.Errorf("%s is still open", addr)
		}
	}
}

func TestAnAddressMayGoToAnotherServer(t *testing.T) {
	p := users()
	p.Servers[0].Listen = free(t)
	s := begin(t, p)
	stop, refused := make(chan struct{}), make(chan error, 1)
	var dialling sync.WaitGroup
	dialling.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			conn, err := net.Dial("tcp", p.Servers[0].Listen)
			if err != nil {
				refused <- err
				return
			}
			conn.Close()
		}
	})
	q := users()
	q.Servers[0].Name, q.Servers[0].Listen = "renamed", p.Servers[0].Listen
	s.reload(q)
	s.dialAddr(s.servers["renamed"].Listen).want("front", "2")
	close(stop)
	dialling.Wait()
	select {
	case err := <-refused:
		t.Errorf("a connection was refused meanwhile: %v", err)
	default:
	}
}

func TestServersMayTakeEachOthersAddresses(t *testing.T) {
	at := func(first, second string) *plan.Plan {
		p := users()
		p.Servers = append(p.Servers, users().Servers[0])
		p.Servers[1].Name, p.Servers[1].AllowAnonymous, p.Servers[1].Alternatives = "other", true, nil
		p.Servers[0].Listen, p.Servers[1].Listen = first, second
		return p
	}
	one, two, three := free(t), free(t), free(t)
	s := begin(t, at(one, two))
	s.dialAddr(two).want("guest", "welcome")
	for _, step := range [][2]string{{two, one}, {three, two}, {one, three}} {
		s.reload(at(step[0], step[1]))
		s.dialAddr(step[0]).want("guest", "refused no-credentials")
		s.dialAddr(step[1]).want("guest", "welcome")
	}
	if conn, err := net.Dial("tcp", two); err == nil {
		conn.Close()
		t.Errorf("%s is still open", two)
	}
}

func TestBrokerAddressesOutliveANewFront(t *testing.T) {
	s := &stage{t: t, protocol: &lines{ready: make(chan *proxy.Server, 2)}, log: newRecorder(), directory: &people{}, ended: make(chan error, 1)}
	s.beginWith(users())
	old := <-s.protocol.ready
	addr, err := old.Listen(7, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := users()
	p.Servers[0].Upstream.Bootstrap = []string{"elsewhere:9092"}
	s.reload(p)
	c := s.dialAddr(addr.String())
	c.want("broker", "7")
	c.want("front", "2")
	again, err := (<-s.protocol.ready).Listen(7, "127.0.0.1:0")
	if err != nil || again != addr {
		t.Errorf("the new front is given %v, %v; want %v", again, err, addr)
	}
	if _, err := old.Listen(8, "127.0.0.1:0"); err == nil {
		t.Error("the old front may still open addresses")
	}
	if old.State().Server.Upstream.Bootstrap[0] != "elsewhere:9092" {
		t.Error("the old server does not have today's state")
	}
}

func TestReloadMovesTheAdminAddress(t *testing.T) {
	s := begin(t, open())
	was := s.admin
	p := open()
	p.Admin = free(t)
	s.reload(p)
	if s.admin != p.Admin {
		t.Errorf("admin is at %s, want %s", s.admin, p.Admin)
	}
	if status, _ := s.get("/readyz"); status != 200 {
		t.Errorf("readyz: %d", status)
	}
	if conn, err := net.Dial("tcp", was); err == nil {
		conn.Close()
		t.Error("the old address is still open")
	}
	p = open()
	p.Admin = ""
	s.reload(p)
	if s.admin != "" {
		t.Error("admin is still served")
	}
}

func TestReloadUnderLoadLosesNothing(t *testing.T) {
	s := begin(t, users())
	stop := make(chan struct{})
	var pumps sync.WaitGroup
	for range 10 {
		c := s.dial()
		c.want("login alice", "welcome")
		pumps.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if got, err := c.try("echo " + strings.Repeat("x", 100)); err != nil || len(got) != 100 {
					t.Errorf("%q, %v", got, err)
					return
				}
			}
		})
	}
	for i := range 5 {
		p := users()
		p.Servers[0].Upstream.Bootstrap = []string{strings.Repeat("k", i+1) + ":9092"}
		s.reload(p)
	}
	close(stop)
	pumps.Wait()
}

func TestDrainLetsWorkBeFinishedAndThenEnds(t *testing.T) {
	s := begin(t, users())
	c, stranger := s.dial(), s.dial()
	c.want("login alice", "welcome")
	stranger.want("echo x", "x")
	s.stop()
	c.closed()
	stranger.closed()
	if err := <-s.ended; err != nil {
		t.Errorf("the drain ended with %v", err)
	}
	s.ended <- nil
	s.audit("draining") // of the one who had not logged in
}

func TestADrainThatTakesTooLongIsForced(t *testing.T) {
	p := users()
	p.Limits.Drain = 50 * time.Millisecond
	testForced(t, p, func(*stage) {})
}

func TestADrainIsForcedByWhoeverWillNotWait(t *testing.T) {
	testForced(t, users(), func(s *stage) { s.gateway.Force() })
}

func testForced(t *testing.T, p *plan.Plan, force func(*stage)) {
	s := begin(t, p)
	c := s.dial()
	c.want("login alice", "welcome")
	c.want("stubborn", "as a mule")
	begun := time.Now()
	s.stop()
	s.log.await(t, "draining", 1)
	if status, _ := s.get("/readyz"); status != 503 {
		t.Errorf("readyz during the drain: %d", status)
	}
	if status, _ := s.get("/livez"); status != 200 {
		t.Errorf("livez during the drain: %d", status)
	}
	if conn, err := net.Dial("tcp", s.servers["main"].Listen); err == nil {
		conn.Close()
		t.Error("a connection is accepted during the drain")
	}
	if err := s.gateway.Reload(p); err == nil {
		t.Error("a reload succeeds during the drain")
	}
	force(s)
	if b, err := io.ReadAll(c); err == nil && len(b) > 0 {
		t.Errorf("read %q", b)
	}
	err := <-s.ended
	s.ended <- nil
	if took := time.Since(begun); !errors.Is(err, proxy.ErrDrainForced) || took > 2*time.Second {
		t.Errorf("the drain ended with %v after %v", err, took)
	}
}
