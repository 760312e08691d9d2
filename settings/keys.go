package settings

import (
	"math"
	"strconv"
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
		"enforce":     r.enforce,
		"tokens":      r.later("tokens come with a later version"),
		"perspective": r.later("leave it out: it counts once operations are enforced"),
		"grants":      r.later("leave it out: it counts once operations are enforced"),
	})
}

// enforce accepts the one way of enforcing there is.
func (r *reader) enforce(n node) {
	switch s, ok := r.scalar(n, "connections"); {
	case !ok || s == "connections":
	case s == "operations" || s == "observe":
		r.fault(n.at, "settings/unsupported", "write enforce: connections, or leave it out", "enforce: %s is not supported yet", s)
	default:
		r.invalid(n, "write enforce: connections, or leave it out", "%q is no way to enforce", s)
	}
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

func (r *reader) server(s *Server, n node) {
	r.object(n, "a server", keys{
		"enabled":                    r.flag(&s.Enabled),
		"listen":                     r.listen(&s.Listen),
		"advertise":                  r.advertise(&s.Advertise),
		"upstream":                   func(n node) { r.upstream(&s.Upstream, n) },
		"brokers":                    func(n node) { r.brokers(&s.Brokers, n) },
		"tls":                        func(n node) { r.tls(&s.TLS, n) },
		"variables":                  func(n node) { r.variables(s, n) },
		"security":                   func(n node) { r.security(&s.Security, n) },
		"mechanisms":                 r.mechanisms(&s.Mechanisms),
		"requireAll":                 r.flag(&s.RequireAll),
		"allowAnonymous":             r.flag(&s.AllowAnonymous),
		"unsafePlaintextCredentials": r.flag(&s.UnsafePlaintextCredentials),
		"proxyProtocol":              r.flag(&s.ProxyProtocol),
		"maxSession":                 r.session(&s.MaxSession),
		"protocol":                   r.later("MQTT comes with a later version"),
		"clientIds":                  r.later("MQTT comes with a later version"),
	})
}

func (r *reader) session(to *Value[time.Duration]) func(node) {
	return func(n node) {
		if r.duration(&to.V, time.Second, 365*24*time.Hour)(n); to.V > 0 {
			to.At = n.at
		}
	}
}

func (r *reader) upstream(u *Upstream, n node) {
	u.At = n.at
	r.object(n, "upstream", keys{
		"bootstrap": r.dialled(&u.Bootstrap),
		"tls":       func(n node) { r.upstreamTLS(&u.TLS, n) },
		"identity":  r.identity(&u.Identity),
		"sasl":      func(n node) { r.upstreamSASL(&u.SASL, n) },
		"address":   r.later("MQTT comes with a later version; the brokers of a Kafka server are listed under bootstrap"),
	})
}

func (r *reader) identity(to *Value[string]) func(node) {
	return func(n node) {
		switch s, ok := r.scalar(n, "service"); {
		case !ok:
		case s == "service":
			*to = Value[string]{n.at, s}
		case s == "principal" || s == "delegation-token" || s == "unsafeForward":
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
		"mechanism": r.choice(&s.Mechanism, "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"),
		"username":  r.text(&s.Username),
		"password":  r.secret(&s.Password),
	})
	if ok {
		r.needs(n, "upstream sasl", "mechanism", "username", "password")
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

func (r *reader) mechanisms(to *[]Value[string]) func(node) {
	return func(n node) {
		ok := r.items(n, "a list of mechanisms", func(item node) {
			var v Value[string]
			if r.choice(&v, "SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")(item); v.Stated() {
				*to = append(*to, v)
			}
		})
		if ok && len(n.Content) == 0 {
			r.invalid(n, "leave it out to offer all", "the list is empty")
		}
	}
}

func (r *reader) brokers(b *Brokers, n node) {
	b.At = n.at
	r.object(n, "brokers", keys{
		"ports": func(n node) { r.ports(b, n) },
		"firstId": func(n node) {
			var id int
			before := len(r.problems)
			if r.count(&id, 0, math.MaxInt32)(n); len(r.problems) == before {
				b.FirstID = Value[int32]{n.at, int32(id)}
			}
		},
		"sni": r.sni(&b.SNI),
	})
	if b.SNI.Stated() && (b.Ports.Stated() || b.FirstID.Stated()) {
		r.fault(b.SNI.At, "settings/invalid-value", "keep one of the two", "brokers have either ports or sni names")
	}
}

func (r *reader) ports(b *Brokers, n node) {
	s, ok := r.scalar(n, "a range such as 18093-18192")
	if !ok {
		return
	}
	first, last, isRange := strings.Cut(s, "-")
	from, err1 := strconv.ParseUint(strings.TrimSpace(first), 10, 16)
	to, err2 := strconv.ParseUint(strings.TrimSpace(last), 10, 16)
	if !isRange || err1 != nil || err2 != nil || from == 0 || to < from {
		r.invalid(n, "write FIRST-LAST, such as 18093-18192", "%q is no range of ports", s)
		return
	}
	b.Ports, b.First, b.Last = n.at, uint16(from), uint16(to)
}

// sni reads the template of the brokers' names: each broker has to get a name of its own.
func (r *reader) sni(to *Value[string]) func(node) {
	return func(n node) {
		s, ok := r.scalar(n, "a name with {id} in it")
		if !ok {
			return
		}
		if rest := strings.Replace(s, "{id}", "0", 1); rest == s || !hostName.MatchString(rest) {
			r.invalid(n, "write it as broker-{id}.kafka.example.org", "%q is no host name with one {id} in it", s)
			return
		}
		*to = Value[string]{n.at, s}
	}
}

func (r *reader) tls(t *TLS, n node) {
	t.At = n.at
	if r.object(n, "tls", keys{
		"certificate": r.path(&t.Certificate),
		"key":         r.path(&t.Key),
		"clientCA":    r.path(&t.ClientCA),
		"crl":         r.path(&t.CRL),
	}) {
		r.needs(n, "tls", "certificate", "key")
	}
	if t.CRL.Stated() && !t.ClientCA.Stated() {
		r.fault(t.CRL.At, "settings/missing-key", "", "crl lists what clientCA revoked, so it needs clientCA")
	}
}

func (r *reader) variables(s *Server, n node) {
	r.members(n, func(key string, _ At, val node) {
		v := Variable{Name: key}
		if val.Tag == "!!int" { // ports are variables, and are written without quotes
			v.Value = Value[string]{val.at, val.Value}
		} else {
			r.text(&v.Value)(val)
		}
		if v.Stated() {
			s.Variables = append(s.Variables, v)
		}
	})
}

// security reads scheme types. A type alone is enough, except for apiKey, which needs its place.
func (r *reader) security(to *Value[[]Scheme], n node) {
	list := []Scheme{}
	ok := r.items(n, "a list of security scheme types", func(item node) {
		s := Scheme{At: item.at}
		var kind, in Value[string]
		if item.kind() == "an object" {
			r.object(item, "a security scheme", keys{"type": r.text(&kind), "in": r.choice(&in, "user", "password")})
		} else {
			r.text(&kind)(item)
		}
		if s.Type, s.In = kind.V, in.V; s.Type != "" {
			list = append(list, s)
		}
	})
	if !ok {
		return
	}
	if len(n.Content) == 0 {
		r.invalid(n, "name a scheme type such as scramSha512, or write allowAnonymous: true", "the list is empty")
	}
	*to = Value[[]Scheme]{n.at, list}
}
