package settings

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

func (r *reader) server(s *Server, n node) {
	r.object(n, "a server", keys{
		"enabled":                    r.flag(&s.Enabled),
		"listen":                     r.listen(&s.Listen),
		"advertise":                  r.advertise(&s.Advertise),
		"upstream":                   func(n node) { r.upstream(&s.Upstream, n) },
		"brokers":                    func(n node) { r.brokers(&s.Brokers, n) },
		"tls":                        func(n node) { r.tls(&s.TLS, n) },
		"variables":                  func(n node) { r.variables(s, n) },
		"parameters":                 func(n node) { r.parameters(s, n) },
		"security":                   func(n node) { r.security(&s.Security, n) },
		"mechanisms":                 r.mechanisms(&s.Mechanisms),
		"requireAll":                 r.flag(&s.RequireAll),
		"allowAnonymous":             r.flag(&s.AllowAnonymous),
		"unsafePlaintextCredentials": r.flag(&s.UnsafePlaintextCredentials),
		"proxyProtocol":              r.flag(&s.ProxyProtocol),
		"maxSession":                 r.session(&s.MaxSession),
		"protocol":                   r.choice(&s.Protocol, "mqtt"),
		"clientIds":                  r.choice(&s.ClientIDs, "derived", "verbatim"),
		"origins":                    r.origins(&s.Origins),
	})
}

func (r *reader) session(to *Value[time.Duration]) func(node) {
	return func(n node) {
		if r.duration(&to.V, time.Second, 365*24*time.Hour)(n); to.V > 0 {
			to.At = n.at
		}
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

var hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$`)

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
