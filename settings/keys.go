package settings

import (
	"math"
	"strings"
	"time"

	"github.com/asyncgate/asyncgate/plan"
)

// settings reads the whole file. The tables below are the file's grammar: asyncgate.schema.json and docs/settings.md
// say the same, and a test compares them.
func (r *reader) settings(s *Settings, n node) {
	r.object(n, "the settings file", keys{
		"servers":     func(n node) { r.servers(s, n) },
		"credentials": r.path(&s.Credentials),
		"decoySecret": r.secret(&s.DecoySecret),
		"admins":      r.texts(&s.Admins),
		"limits":      func(n node) { r.limits(&s.Limits, n) },
		"admin":       func(n node) { r.object(n, "admin", keys{"listen": r.listen(&s.Admin)}) },
		"enforce":     r.enforce(&s.Enforce),
		"tokens":      func(n node) { r.tokens(s, n) },
		"perspective": r.choice(&s.Perspective, Application, Counterparty, Either),
		"grants":      func(n node) { r.items(n, "a list of grants", func(item node) { r.grant(s, item) }) },
	})
}

func (r *reader) limits(l *plan.Limits, n node) {
	const day = 24 * time.Hour
	r.object(n, "limits", keys{
		"handshake":    r.duration(&l.Handshake, time.Second, 10*time.Minute),
		"idle":         r.duration(&l.Idle, time.Second, 7*day),
		"drain":        r.duration(&l.Drain, 0, time.Hour),
		"preAuthFrame": r.size(&l.PreAuthFrame, 1<<10, 512<<10),
		"frame":        r.size(&l.Frame, 64<<10, math.MaxInt32),
		"connections":  r.count(&l.Connections, 1, 10_000_000),
		"perAddress":   r.count(&l.PerAddress, 1, 10_000_000),
		"perPrincipal": r.count(&l.PerPrincipal, 1, 10_000_000),
		"acceptRate":   r.count(&l.AcceptRate, 1, 1_000_000),
		"exempt":       r.prefixes(&l.ExemptClients),
	})
}

func (r *reader) servers(s *Settings, n node) {
	r.members(n, func(key string, keyAt At, val node) {
		server := Server{At: keyAt, Name: key}
		r.server(&server, val)
		s.Servers = append(s.Servers, server)
	})
}

func (r *reader) upstream(u *Upstream, n node) {
	u.At = n.at
	r.object(n, "upstream", keys{
		"bootstrap": r.dialled(&u.Bootstrap),
		"tls":       func(n node) { r.upstreamTLS(&u.TLS, n) },
		"identity":  r.identity(&u.Identity),
		"sasl":      func(n node) { r.upstreamSASL(&u.SASL, n) },
		"exchange":  func(n node) { r.exchange(&u.Exchange, n) },
		"address":   r.broker(&u.Address),
		"username":  r.text(&u.Username),
		"password":  r.secret(&u.Password),
	})
}

func (r *reader) identity(to *Value[string]) func(node) {
	return func(n node) {
		switch s, ok := r.scalar(n, "service"); {
		case !ok:
		case s == "service" || s == "principal" || s == "token" || s == "exchanged-token": // the second on MQTT only, tokens on Kafka, which the compiler knows
			*to = Value[string]{n.at, s}
		case s == "delegation-token" || s == "unsafeForward":
			r.fault(n.at, "settings/unsupported", "write identity: service, or leave it out", "identity: %s is not supported yet", s)
		default:
			r.invalid(n, "write identity: service, or leave it out", "%q is no identity", s)
		}
	}
}

func (r *reader) upstreamTLS(t *UpstreamTLS, n node) {
	t.At = n.at
	r.object(n, "upstream tls", keys{
		"ca":          r.path(&t.CA),
		"serverName":  r.text(&t.ServerName),
		"certificate": r.path(&t.Certificate),
		"key":         r.path(&t.Key),
	})
	if t.Certificate.Stated() != t.Key.Stated() {
		r.fault(n.at, "settings/missing-key", "", "certificate and key go together")
	}
}

func (r *reader) upstreamSASL(s *UpstreamSASL, n node) {
	s.At = n.at
	ok := r.object(n, "upstream sasl", keys{
		"mechanism": r.choice(&s.Mechanism, "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"),
		"username":  r.text(&s.Username),
		"password":  r.secret(&s.Password),
		"token":     func(n node) { r.clientCredentials(&s.Token, n) },
	})
	switch {
	case !ok:
	case s.Mechanism.V == "OAUTHBEARER":
		r.needs(n, "upstream sasl with OAUTHBEARER", "token")
		if s.Username.Stated() || s.Password.Stated() {
			r.fault(n.at, "settings/invalid-value", "write clientId and clientSecret under token", "OAUTHBEARER has no username and no password")
		}
	default:
		r.needs(n, "upstream sasl", "mechanism", "username", "password")
		if s.Token.Stated() {
			r.fault(s.Token.At, "settings/invalid-value", "write mechanism: OAUTHBEARER", "token goes with the mechanism OAUTHBEARER")
		}
	}
}

// needs reports keys that have to be there.
func (r *reader) needs(n node, what string, names ...string) {
	there := map[string]bool{}
	for i := 0; i < len(n.Content); i += 2 {
		there[follow(n.Content[i]).Value] = true
	}
	for _, name := range names {
		if !there[name] {
			r.fault(n.at, "settings/missing-key", "", "%s needs %s", what, name)
		}
	}
}

func (r *reader) choice(to *Value[string], words ...string) func(node) {
	return func(n node) {
		s, ok := r.scalar(n, "one of "+strings.Join(words, ", "))
		if !ok {
			return
		}
		for _, w := range words {
			if s == w {
				*to = Value[string]{n.at, s}
				return
			}
		}
		r.invalid(n, "write one of "+strings.Join(words, ", "), "%q is not known", s)
	}
}
