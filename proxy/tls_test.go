package proxy_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/proxy"
	"github.com/asyncgate/asyncgate/sasl"
	"github.com/asyncgate/asyncgate/tlsconf"
)

// trust is a pair of authorities with what they have issued: one that the server believes, and one that it does not.
type trust struct {
	t           *testing.T
	ca, foreign *tlsconf.DevCA
	pool        *x509.CertPool
	tls         *plan.TLS
	issued      *x509.Certificate // the last that a test wants to speak of
}

func newTrust(t *testing.T, hosts ...string) *trust {
	t.Helper()
	tr := &trust{t: t, ca: authority(t, time.Hour), foreign: authority(t, time.Hour), pool: x509.NewCertPool()}
	tr.pool.AppendCertsFromPEM(tr.ca.PEM())
	pair, err := tr.ca.Server(append([]string{"gateway.test", "127.0.0.1"}, hosts...)...)
	if err != nil {
		t.Fatal(err)
	}
	tr.tls = &plan.TLS{
		Certificate: write(t, "gw.pem", pair.Certificate), Key: write(t, "gw.key", pair.Key),
		ClientCA: write(t, "clients.pem", tr.ca.PEM()), ClientAuth: plan.CertificateRequired,
	}
	return tr
}

func authority(t *testing.T, valid time.Duration) *tlsconf.DevCA {
	t.Helper()
	ca, err := tlsconf.NewDevCA("test authority", valid)
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

// client issues a client certificate.
func (tr *trust) client(ca *tlsconf.DevCA, name string) tls.Certificate {
	tr.t.Helper()
	pair, err := ca.Client("people", name)
	if err != nil {
		tr.t.Fatal(err)
	}
	return tr.load(pair)
}

func (tr *trust) load(pair *tlsconf.Pair) tls.Certificate {
	tr.t.Helper()
	c, err := tls.X509KeyPair(pair.Certificate, pair.Key)
	if err != nil {
		tr.t.Fatal(err)
	}
	return c
}

// plan is a server with X509 as its one way in.
func (tr *trust) plan() *plan.Plan {
	p := open()
	p.Servers[0].AllowAnonymous = false
	p.Servers[0].Protocol = "kafka-secure"
	p.Servers[0].TLS = tr.tls
	p.Servers[0].Alternatives = []plan.Alternative{{Enabled: true, All: []plan.Requirement{{Type: "X509", Mechanisms: []string{"EXTERNAL"}}}}}
	return p
}

// config is a client's: with certificates, if any.
func (tr *trust) config(certificates ...tls.Certificate) *tls.Config {
	return &tls.Config{RootCAs: tr.pool, ServerName: "gateway.test", Certificates: certificates}
}

// dialTLS shakes hands as far as the client can tell: in TLS 1.3 a refusal shows at the first read.
func (s *stage) dialTLS(config *tls.Config) (*client, error) {
	s.t.Helper()
	raw := s.dial()
	conn := tls.Client(raw.Conn, config)
	return newClient(s.t, conn), conn.Handshake()
}

func (s *stage) mustDialTLS(config *tls.Config) *client {
	s.t.Helper()
	c, err := s.dialTLS(config)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

func TestACertificateLogsIn(t *testing.T) {
	tr := newTrust(t)
	s := begin(t, tr.plan())
	s.directory.mapped = map[string]string{"alice": "alice-principal"}
	c := s.mustDialTLS(tr.config(tr.client(tr.ca, "alice")))
	c.want("conn", "*proxy.tlsConn")
	c.want("certificate", "welcome")
	if r := s.log.awaitAll(t, 1, "logger", "audit")[0]; r["principal"] != "alice-principal" || r["mechanism"] != "EXTERNAL" {
		t.Errorf("login: %v", r)
	}
}

func TestACertificateOfNobodySaysWhose(t *testing.T) {
	tr := newTrust(t)
	s := begin(t, tr.plan())
	s.mustDialTLS(tr.config(tr.client(tr.ca, "stranger"))).want("certificate", "refused no-credentials")
	if r := s.audit("no-credentials"); !strings.Contains(r["reason"].(string), "stranger") {
		t.Errorf("the reason does not name the certificate: %v", r)
	}
}

func TestRefusedHandshakes(t *testing.T) {
	tr := newTrust(t)
	alice, revoked := tr.client(tr.ca, "alice"), tr.client(tr.ca, "revoked")
	list := func(next time.Time, certificates ...tls.Certificate) string {
		var leaves []*x509.Certificate
		for _, c := range certificates {
			leaves = append(leaves, c.Leaf)
		}
		crl, err := tr.ca.Revoke(next, leaves...)
		if err != nil {
			t.Fatal(err)
		}
		return write(t, "clients.crl", crl)
	}
	serverPair, err := tr.ca.Server("alice.test")
	if err != nil {
		t.Fatal(err)
	}
	expiredCA := authority(t, -time.Minute)
	both := write(t, "both.pem", append(tr.ca.PEM(), expiredCA.PEM()...))

	for _, c := range []struct {
		name   string
		change func(*plan.TLS)
		client *tls.Config
		code   string
	}{
		{"no certificate", nil, tr.config(), "certificate-missing"},
		{"a certificate of another CA", nil, tr.config(tr.client(tr.foreign, "alice")), "certificate-authority"},
		{"a certificate of another CA where none is needed", func(c *plan.TLS) { c.ClientAuth = plan.CertificateOptional }, tr.config(tr.client(tr.foreign, "alice")), "certificate-authority"},
		{"a server's certificate", nil, tr.config(tr.load(serverPair)), "certificate-usage"},
		{"an expired certificate", func(c *plan.TLS) { c.ClientCA = both }, tr.config(tr.client(expiredCA, "alice")), "certificate-expired"},
		{"a revoked certificate", func(c *plan.TLS) { c.CRL = list(time.Now().Add(time.Hour), revoked) }, tr.config(revoked), "certificate-revoked"},
		{"an expired revocation list", func(c *plan.TLS) { c.CRL = list(time.Now().Add(-time.Minute)) }, tr.config(alice), "crl-expired"},
		{"a chain of nine", nil, tr.config(lengthen(alice, 9)), "certificate-chain"},
		{"TLS 1.1", nil, &tls.Config{RootCAs: tr.pool, ServerName: "gateway.test", MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, "tls-version"},
		{"a client that does not believe the server", nil, &tls.Config{ServerName: "gateway.test", RootCAs: x509.NewCertPool()}, "client-alert"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := tr.plan()
			copied := *tr.tls
			if c.change != nil {
				c.change(&copied)
			}
			p.Servers[0].TLS = &copied
			s := begin(t, p)
			s.directory.mapped = map[string]string{"alice": "alice"}
			client := c.client.Clone()
			client.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				if len(client.Certificates) == 0 {
					return &tls.Certificate{}, nil
				}
				return &client.Certificates[0], nil // whatever the server says it wants
			}
			conn, err := s.dialTLS(client)
			if err == nil {
				_, err = conn.try("certificate")
			}
			if err == nil {
				t.Fatal("the client was let in")
			}
			r := s.audit(c.code)
			if r["stage"] != "tls" || r["principal"] != "" {
				t.Errorf("refusal: %v", r)
			}
			if c.code == "certificate-authority" && !strings.Contains(r["claimed"].(string), "CN=alice") {
				t.Errorf("the record does not say whose certificate it was: %v", r)
			}
			if strings.HasPrefix(c.code, "certificate-") && !strings.Contains(err.Error(), "remote error: tls:") {
				t.Errorf("the client was not told by an alert: %v", err)
			}
		})
	}
}

// lengthen repeats the leaf until the chain is n long.
func lengthen(c tls.Certificate, n int) tls.Certificate {
	c.Certificate = slices.Repeat(c.Certificate[:1], n)
	return c
}

func TestWhatIsNotTLSIsRefused(t *testing.T) {
	tr := newTrust(t)
	for name, c := range map[string]struct{ bytes, code string }{
		"plaintext Kafka":     {"\x00\x00\x00\x10\x00\x12\x00\x03\x00\x00\x00\x01\x00\x02ab\x00\x00\x00", "not-tls"},
		"plaintext HTTP":      {"GET / HTTP/1.1\r\n\r\n", "not-tls"},
		"an SSL 2 hello":      {"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10", "not-tls"},
		"a record of 64 KiB":  {"\x16\x03\x01\xff\xff\x01\x00\x00\x00", "not-tls"},
		"half a ClientHello":  {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "left"},
		"nothing but the end": {"", "left"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := begin(t, tr.plan())
			c2 := s.dial()
			if _, err := io.WriteString(c2, c.bytes); err != nil {
				t.Fatal(err)
			}
			_ = c2.Conn.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, c2)
			s.audit(c.code)
		})
	}
}

func TestAHelloOfOneByteRecordsIsNoOtherHello(t *testing.T) {
	tr := newTrust(t)
	s := begin(t, tr.plan())
	raw := s.dial()
	conn := tls.Client(&fragmenting{Conn: raw.Conn}, tr.config())
	if err := conn.Handshake(); err == nil {
		_, err := newClient(t, conn).try("certificate")
		if err == nil {
			t.Fatal("a fragmented hello was not asked for a certificate")
		}
	}
	s.audit("certificate-missing")
}

// fragmenting splits the first record it writes into records of one byte.
type fragmenting struct {
	net.Conn
	done bool
}

func (f *fragmenting) Write(b []byte) (int, error) {
	if f.done || b[0] != 22 {
		return f.Conn.Write(b)
	}
	f.done = true
	var out []byte
	for _, one := range b[5:] {
		out = append(out, b[0], b[1], b[2], 0, 1, one)
	}
	_, err := f.Conn.Write(out)
	return len(b), err
}

func TestServerNamesLeadToBrokers(t *testing.T) {
	tr := newTrust(t, "*.brokers.test")
	p := tr.plan()
	p.Servers[0].Brokers.SNI = "broker-{id}.brokers.test"
	p.Servers[0].Alternatives, p.Servers[0].AllowAnonymous = nil, true
	tr.tls.ClientAuth, tr.tls.ClientCA = plan.CertificateNone, ""
	s := begin(t, p)
	insecure := func(name string) *tls.Config {
		return &tls.Config{ServerName: name, InsecureSkipVerify: true} // the name is the point here
	}
	for name, broker := range map[string]string{
		"gateway.test": "-1", "GateWay.Test": "-1", "": "-1",
		"broker-0.brokers.test": "0", "broker-12.brokers.test": "12", "BROKER-7.Brokers.test": "7", "broker-2147483647.brokers.test": "2147483647",
	} {
		s.mustDialTLS(insecure(name)).want("broker", broker)
	}
	refused := []string{"other.test", "brokers.test", "broker-.brokers.test", "broker-01.brokers.test", "broker-+1.brokers.test",
		"broker--1.brokers.test", "broker-2147483648.brokers.test", "broker-1.brokers.test.evil", "xbroker-1.brokers.test", "a.broker-1.brokers.test"}
	for _, name := range refused {
		if _, err := s.dialTLS(insecure(name)); err == nil {
			t.Errorf("%s was served", name)
		}
	}
	s.log.awaitAll(t, len(refused), "logger", "audit", "code", "unknown-server-name", "stage", "tls")
}

func TestStartFailsUnlessTheCertificateCoversWhatClientsDial(t *testing.T) {
	for _, c := range []struct {
		name, advertise, sni string
		hosts                []string
		want                 string
	}{
		{"the advertised host", "kafka.example.org", "", nil, `does not cover "kafka.example.org", which clients dial`},
		{"the advertised address", "192.0.2.1", "", nil, `does not cover "192.0.2.1", which clients dial`},
		{"the brokers' names", "gateway.test", "b{id}.brokers.test", nil, `issue one with the wildcard "*.brokers.test"`},
		{"all is covered by a wildcard", "gateway.test", "b{id}.brokers.test", []string{"*.brokers.test"}, ""},
		{"all is covered name by name", "gateway.test", "b{id}.brokers.test", []string{"b1.brokers.test", "b2.brokers.test"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := newTrust(t, c.hosts...)
			p := tr.plan()
			p.Servers[0].Advertise.Host, p.Servers[0].Brokers.SNI = c.advertise, c.sni
			if c.want == "" {
				begin(t, p)
				return
			}
			s := &stage{t: t, protocol: &lines{}, log: newRecorder(), directory: &people{}}
			if _, err := proxy.New(s.config(p)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error: %v", err)
			}
		})
	}
}

func TestTicketsOfOneServerAreWorthlessAtAnother(t *testing.T) {
	tr := newTrust(t)
	p := tr.plan()
	p.Servers = append(p.Servers, p.Servers[0])
	p.Servers[1].Name = "other"
	s := begin(t, p)
	s.directory.mapped = map[string]string{"alice": "alice"}
	config := tr.config(tr.client(tr.ca, "alice"))
	config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	resumed := func(server string) bool {
		conn := tls.Client(s.dialAddr(s.servers[server].Listen).Conn, config)
		c := newClient(t, conn)
		c.want("certificate", "welcome")
		return conn.ConnectionState().DidResume
	}
	if resumed("main") {
		t.Fatal("the first session is resumed")
	}
	if !resumed("main") {
		t.Error("a session is not resumed where it began")
	}
	if resumed("other") {
		t.Error("a session of one server is resumed at another")
	}
}

func TestAResumedSessionIsCheckedForRevocation(t *testing.T) {
	tr := newTrust(t)
	alice := tr.client(tr.ca, "alice")
	s := begin(t, tr.plan())
	s.directory.mapped = map[string]string{"alice": "alice"}
	config := tr.config(alice)
	config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	s.mustDialTLS(config).want("certificate", "welcome")

	crl, err := tr.ca.Revoke(time.Now().Add(time.Hour), alice.Leaf)
	if err != nil {
		t.Fatal(err)
	}
	revoking := *tr.tls
	revoking.CRL = write(t, "clients.crl", crl)
	p := tr.plan()
	p.Servers[0].TLS = &revoking
	if err := s.gateway.Reload(p); err != nil {
		t.Fatal(err)
	}
	c, err := s.dialTLS(config)
	if err == nil {
		_, err = c.try("certificate")
	}
	if err == nil {
		t.Error("a revoked certificate was resumed")
	}
}

func TestMechanismsAreThoseOfEnabledAlternatives(t *testing.T) {
	p := users()
	p.Servers[0].Alternatives = append(p.Servers[0].Alternatives,
		plan.Alternative{Enabled: true, All: []plan.Requirement{{Type: "scramSha512", Mechanisms: []string{sasl.ScramSHA512}}}},
		plan.Alternative{All: []plan.Requirement{{Type: "scramSha256", Mechanisms: []string{sasl.ScramSHA256}}}})
	begin(t, p).dial().want("mechanisms", "SCRAM-SHA-512 PLAIN")
}
