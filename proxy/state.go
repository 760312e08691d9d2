package proxy

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/policy"
	"github.com/asyncgate/asyncgate/sasl"
	"github.com/asyncgate/asyncgate/tlsconf"
)

// materials are what the states of one plan share.
type materials struct {
	plan      *plan.Plan
	directory sasl.Directory
	tokens    sasl.Tokens
	decoy     []byte
	admins    map[string]bool
}

// gather loads what all servers of a plan share.
func (g *Gateway) gather(p *plan.Plan) (*materials, error) {
	m := &materials{plan: p, decoy: g.decoy, directory: nobody{}, tokens: sasl.NoTokens{}, admins: make(map[string]bool)}
	for _, name := range p.Admins {
		m.admins[name] = true
	}
	if g.config.Directory != nil {
		d, err := g.config.Directory(p)
		if err != nil {
			return nil, err
		}
		if d != nil {
			m.directory = d
		}
	}
	if g.config.Tokens != nil {
		t, err := g.config.Tokens(p)
		if err != nil {
			return nil, err
		}
		if t != nil {
			m.tokens = t
		}
	}
	if p.DecoySecret != "" {
		secret, err := ReadSecret(p.DecoySecret)
		if err != nil {
			return nil, fmt.Errorf("decoySecret: %w", err)
		}
		m.decoy = secret
	}
	return m, nil
}

// randomDecoy keys decoy salts where the plan has no secret: they are stable until the next start.
func randomDecoy() []byte {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return b
}

// shared are the servers of the plan that have no listener of their own but this server's.
func (m *materials) shared(server *plan.Server) []*plan.Server {
	var shared []*plan.Server
	for i := range m.plan.Servers {
		if s := &m.plan.Servers[i]; s.Enforced && s.SharesListener == server.Name {
			shared = append(shared, s)
		}
	}
	return shared
}

// state makes what one server enforces.
func (m *materials) state(server *plan.Server) (*State, error) {
	s := &State{Server: server, Limits: m.plan.Limits, Directory: m.directory, Tokens: m.tokens, Admins: m.admins,
		Observe: m.plan.Enforce == plan.Observe}
	var err error
	if m.plan.Enforce == plan.Operations || s.Observe {
		if s.Rules, err = policy.Compile(m.plan, server); err != nil {
			return nil, err
		}
	}
	if s.Mechanisms, err = m.mechanisms(server); err != nil {
		return nil, err
	}
	if policy.Takes(server, sasl.OAuthBearer) {
		s.Limits.PreAuthFrame = max(s.Limits.PreAuthFrame, plan.BearerFrame)
	}
	s.Passwords = passwords(server, m.directory)
	s.bearers = map[string]bool{sasl.Password: policy.TakesTokens(server, sasl.Password), sasl.Header: policy.TakesTokens(server, sasl.Header)}
	if server.TLS == nil {
		return s, nil
	}
	s.names, s.ends = namesOf(server, m.shared(server)), make(map[string]time.Time)
	s.TLS, err = s.tls()
	return s, err
}

// tls makes a server's TLS configuration and holds its certificate against the names that clients will dial.
func (s *State) tls() (*tls.Config, error) {
	p := s.Server.TLS
	config, err := tlsconf.Server(tlsconf.ServerOptions{
		Certificate: p.Certificate,
		Key:         p.Key,
		ClientCA:    p.ClientCA,
		CRL:         p.CRL,
		ClientAuth:  clientAuth(p.ClientAuth),
		Expiry:      func(kind string, end time.Time) { s.ends[kind] = end },
	})
	if err != nil {
		return nil, err
	}
	if err := s.names.covered(config.Certificates[0].Leaf); err != nil {
		return nil, fmt.Errorf("%s: %w", p.Certificate, err)
	}
	config.GetConfigForClient = s.names.guard
	return config, nil
}

func clientAuth(mode plan.AuthMode) tlsconf.ClientAuth {
	switch mode {
	case plan.CertificateNone:
		return tlsconf.NoCertificate
	case plan.CertificateOptional:
		return tlsconf.OptionalCertificate
	}
	return tlsconf.RequiredCertificate
}

// mechanisms are what a server offers in SASL.
func (m *materials) mechanisms(server *plan.Server) ([]sasl.Mechanism, error) {
	current := func() sasl.Directory { return m.directory }
	var offered []sasl.Mechanism
	for _, name := range policy.Mechanisms(server) {
		switch name {
		case sasl.ScramSHA512:
			offered = append(offered, sasl.NewScram(sasl.SHA512, current, m.decoy))
		case sasl.ScramSHA256:
			offered = append(offered, sasl.NewScram(sasl.SHA256, current, m.decoy))
		case sasl.Plain:
			offered = append(offered, sasl.NewPlain(plainOptions(server, name), current))
		case sasl.OAuthBearer:
			made := sasl.NewOAuthBearer
			if id := server.Upstream.Identity; id == plan.IdentityToken || id == plan.IdentityExchanged {
				made = sasl.NewPassingOAuthBearer
			}
			offered = append(offered, made(func() sasl.Tokens { return m.tokens }))
		default:
			return nil, fmt.Errorf("mechanism %s is not supported", name)
		}
	}
	return offered, nil
}

// passwords are the verifiers of passwords that come without SASL, by the road on which the server takes them.
func passwords(server *plan.Server, directory sasl.Directory) map[string]*sasl.Passwords {
	taken := make(map[string]*sasl.Passwords)
	for _, road := range []string{sasl.Password, sasl.Basic} {
		if o := plainOptions(server, road); o != (sasl.PlainOptions{}) {
			taken[road] = sasl.NewPasswords(o, func() sasl.Directory { return directory })
		}
	}
	return taken
}

// plainOptions are the kinds of credentials that a server takes on one of the roads on which they come in clear.
func plainOptions(server *plan.Server, road string) sasl.PlainOptions {
	var o sasl.PlainOptions
	for _, a := range server.Alternatives {
		for _, r := range a.All {
			switch {
			case !a.Enabled || !slices.Contains(r.Mechanisms, road):
			case r.Type == "apiKey" && r.In == "user":
				o.KeyInUser = true
			case r.Type == "apiKey" && r.In == "password":
				o.KeyInPassword = true
			case r.Type == "plain" || r.Type == "userPassword" || r.Type == "http" && r.In == "basic":
				o.Users = true
			}
		}
	}
	return o
}

// nobody is the directory of a plan without credentials.
type nobody struct{}

var errNobody = fmt.Errorf("%w: the settings name no credentials file", sasl.ErrUnknown)

func (nobody) Scram(string, sasl.Hash) (*sasl.ScramEntry, error) { return nil, errNobody }
func (nobody) Key(string) (*sasl.Account, error)                 { return nil, errNobody }
func (nobody) Certificate(*x509.Certificate) (*sasl.Account, error) {
	return nil, errNobody
}
func (nobody) Check(*sasl.Principal) error { return sasl.ErrRevoked }
func (nobody) Iterations(sasl.Hash) int    { return 4096 } // the least that RFC 7677 allows

// certificate maps the verified client certificate of a handshake to its principal.
func certificate(d sasl.Directory, chain []*x509.Certificate) (*sasl.Principal, error) {
	if len(chain) == 0 {
		return sasl.Certificate(d, nil)
	}
	return sasl.Certificate(d, chain[0])
}
