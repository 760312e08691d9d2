package inprocess

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/sasl"
	"github.com/asyncgate/asyncgate/tlsconf"
)

// Names of the servers of a [Plan], after the listeners of a broker that they correspond to.
const (
	Plaintext = "plaintext"         // open to everyone
	SASL      = "sasl"              // PLAIN and both SCRAMs, in clear
	SASLTLS   = "sasl-tls"          // the same inside TLS
	Optional  = "sasl-tls-optional" // the same, and a certificate may be shown
	MTLS      = "mtls"              // a certificate must be shown
	Expiring  = "sasl-expiring"     // as SASL, for a session
	Bearer    = "bearer"            // OAUTHBEARER, in clear; only there if the plan has an issuer
	Proxied   = "sasl-proxied"      // as SASL, behind the PROXY protocol
	ByName    = "sasl-tls-by-name"  // as SASLTLS at gateway.test, its brokers at broker-N.gateway.test on the same port
)

// Certificates are throwaway certificates: the gateway's, and those of clients.
type Certificates struct {
	dir     string
	roots   *x509.CertPool
	Trusted *tlsconf.DevCA // of the gateway and its clients
	Foreign *tlsconf.DevCA // of strangers
	clients map[string]tls.Certificate
}

// NewCertificates makes the gateway's certificate, those of alice, bob and gateway, and that of mallory, who is called
// alice by another authority.
func NewCertificates(t testing.TB) *Certificates {
	t.Helper()
	c := &Certificates{dir: t.TempDir(), roots: x509.NewCertPool(), clients: map[string]tls.Certificate{}}
	c.Trusted, c.Foreign = authority(t, "trusted"), authority(t, "foreign")
	c.roots.AppendCertsFromPEM(c.Trusted.PEM())
	server, err := c.Trusted.Server("127.0.0.1", "localhost", "gateway.test", "*.gateway.test")
	if err == nil {
		err = server.Write(filepath.Join(c.dir, "server.crt"), filepath.Join(c.dir, "server.key"))
	}
	if err == nil {
		err = c.Trusted.WritePEM(filepath.Join(c.dir, "ca.crt"))
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"alice", "bob", "nobody"} {
		c.issue(t, c.Trusted, name, name)
	}
	c.issue(t, c.Foreign, "mallory", "alice")
	return c
}

func authority(t testing.TB, name string) *tlsconf.DevCA {
	t.Helper()
	ca, err := tlsconf.NewDevCA(name, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func (c *Certificates) issue(t testing.TB, ca *tlsconf.DevCA, name, commonName string) {
	t.Helper()
	pair, err := ca.Client("", commonName)
	if err != nil {
		t.Fatal(err)
	}
	if c.clients[name], err = tls.X509KeyPair(pair.Certificate, pair.Key); err != nil {
		t.Fatal(err)
	}
}

// Add lets clients show one more certificate, by that name.
func (c *Certificates) Add(name string, certificate tls.Certificate) { c.clients[name] = certificate }

// Trust makes gateways that are started from now on believe one more authority of clients, given as PEM.
func (c *Certificates) Trust(t testing.TB, authority []byte) {
	t.Helper()
	file, err := os.OpenFile(filepath.Join(c.dir, "ca.crt"), os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = file.Write(authority)
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Client is a client's side of TLS with the certificate of that name; empty: none.
func (c *Certificates) Client(name string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.roots}
	if name != "" {
		config.Certificates = []tls.Certificate{c.clients[name]}
	}
	return config, nil
}

// Server is what a server shows its clients, and whose certificates it believes.
func (c *Certificates) Server(mode plan.AuthMode) *plan.TLS {
	t := &plan.TLS{Certificate: filepath.Join(c.dir, "server.crt"), Key: filepath.Join(c.dir, "server.key"), ClientAuth: mode}
	if mode != plan.CertificateNone {
		t.ClientCA = filepath.Join(c.dir, "ca.crt")
	}
	return t
}

// PlanOptions say what a [Plan] is to have.
type PlanOptions struct {
	Certificates *Certificates
	Session      time.Duration // of the sasl-expiring server
	Bootstrap    []string      // of the cluster
	Issuer       *plan.Issuer  // of tokens; nil: none
	Handshake    time.Duration // limit; 0 is the default
	Idle         time.Duration // limit; 0 is the default
}

// Plan has a server of each kind before one cluster. Clients on loopback are not slowed down for their failures, and a
// drain does not wait.
func Plan(o PlanOptions) *plan.Plan {
	p := bare(o)
	add := func(name, protocol string, t *plan.TLS, ways ...plan.Alternative) *plan.Server {
		p.Servers = append(p.Servers, plan.Server{
			Name: name, Protocol: protocol, Enforced: true, Listen: "127.0.0.1:0", Advertise: plan.Address{Host: "127.0.0.1"},
			TLS: t, Alternatives: ways, Upstream: plan.Upstream{Bootstrap: o.Bootstrap, Identity: "service"},
		})
		return &p.Servers[len(p.Servers)-1]
	}
	c := o.Certificates
	add(Plaintext, "kafka", nil).AllowAnonymous = true
	add(SASL, "kafka", nil, users)
	add(SASLTLS, "kafka-secure", c.Server(plan.CertificateNone), users)
	add(Optional, "kafka-secure", c.Server(plan.CertificateOptional), users)
	add(MTLS, "kafka-secure", c.Server(plan.CertificateRequired), certificate)
	add(Expiring, "kafka", nil, users).MaxSession = o.Session
	add(Proxied, "kafka", nil, users).ProxyProtocol = true
	if o.Issuer != nil {
		p.Tokens = append(p.Tokens, *o.Issuer)
		add(Bearer, "kafka", nil, plan.Alternative{Enabled: true, All: []plan.Requirement{{Type: "oauth2",
			Mechanisms: []string{sasl.OAuthBearer}, Issuers: []string{o.Issuer.Issuer}}}})
	}
	byName := add(ByName, "kafka-secure", c.Server(plan.CertificateNone), users)
	byName.Advertise.Host, byName.Brokers.SNI = "gateway.test", "broker-{id}.gateway.test"
	return p
}

// bare is a plan without servers.
func bare(o PlanOptions) *plan.Plan {
	limits := plan.DefaultLimits()
	limits.Drain = 100 * time.Millisecond
	limits.ExemptClients = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	limits.Handshake = cmp.Or(o.Handshake, limits.Handshake)
	limits.Idle = cmp.Or(o.Idle, limits.Idle)
	return &plan.Plan{Document: "in memory", Limits: limits}
}

// The ways in.
var (
	users = plan.Alternative{Enabled: true, All: []plan.Requirement{{Type: "userPassword",
		Mechanisms: []string{sasl.ScramSHA512, sasl.ScramSHA256, sasl.Plain}}}}
	certificate = plan.Alternative{Enabled: true, All: []plan.Requirement{{Type: "X509", Mechanisms: []string{sasl.External}}}}
)

// Authority is the file of the authority that clients believe.
func (c *Certificates) Authority() string { return filepath.Join(c.dir, "ca.crt") }

// Serving is the gateway's certificate for a server of the test's own.
func (c *Certificates) Serving(t testing.TB) *tls.Config {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(filepath.Join(c.dir, "server.crt"), filepath.Join(c.dir, "server.key"))
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
}
