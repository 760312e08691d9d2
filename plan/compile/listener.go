package compile

import (
	"fmt"
	"net"
	"reflect"
	"slices"
	"strconv"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/settings"
)

// defaultRange is how many broker addresses a server has if the settings say nothing.
const defaultRange = 100

// brokers sets the addresses of the brokers behind a server.
func (c *compiler) brokers(w *work) {
	b := &w.set.Brokers
	w.out.Brokers = plan.Brokers{First: b.First, Last: b.Last, FirstID: b.FirstID.V, SNI: b.SNI.V}
	port := listenPort(w.out.Listen)
	switch {
	case b.SNI.Stated():
		if w.out.TLS == nil {
			c.add(plan.Error, "settings/sni-without-tls", c.inSettings(b.SNI.At), "give the brokers ports, or the server tls",
				"server %s has no TLS, so no client says which broker it wants", w.doc.Name)
		}
	case b.First != 0 || port == 0:
	case port == 65535:
		if c.opt.Deployment {
			c.add(plan.Error, "settings/listen-conflict", w.at, block(w.doc.Name, "brokers: { ports: FIRST-LAST }"),
				"there are no ports for brokers above the one that server %s listens on", w.doc.Name)
		}
	default:
		w.out.Brokers.First, w.out.Brokers.Last = port+1, uint16(min(int(port)+defaultRange, 65535))
	}
}

// claim is a range of ports that something binds.
type claim struct {
	host        string
	first, last uint16
	server      *plan.Server // nil for the admin endpoint
	what        string
}

// listeners finds servers that share a listener, and addresses that collide.
func (c *compiler) listeners() {
	var claims []claim
	for i := range c.out.Servers {
		s := &c.out.Servers[i]
		if !s.Enforced || listenPort(s.Listen) == 0 {
			continue
		}
		for j := range c.out.Servers[:i] {
			if t := &c.out.Servers[j]; t.Enforced && t.SharesListener == "" && s.Listen == t.Listen && c.alike(s, t) && known(s) {
				s.SharesListener = t.Name
				break
			}
		}
		if s.SharesListener != "" {
			continue
		}
		host, port, _ := settings.SplitAddress(s.Listen)
		claims = append(claims, claim{host, port, port, s, "listens on port " + strconv.Itoa(int(port))})
		if b := s.Brokers; b.First != 0 {
			claims = append(claims, claim{host, b.First, b.Last, s, fmt.Sprintf("has brokers on ports %d-%d", b.First, b.Last)})
		}
	}
	if host, port, err := settings.SplitAddress(c.out.Admin); err == nil && port > 0 {
		claims = append(claims, claim{host, port, port, nil, "listens on port " + strconv.Itoa(int(port))})
	}
	if c.opt.Deployment {
		c.collisions(claims)
	}
}

// alike reports whether two servers are one listener with two names. What their schemes are called does not matter; what
// they allow does, if it is enforced: on one listener nobody can tell which of the two a client meant.
func (c *compiler) alike(a, b *plan.Server) bool {
	x, y := anonymous(*a), anonymous(*b)
	if c.out.Enforce == plan.Connections {
		x.Rules, y.Rules = nil, nil
	}
	return reflect.DeepEqual(x, y)
}

// known reports whether it is known which brokers stand behind a server: without, no two are the same.
func known(s *plan.Server) bool { return len(s.Upstream.Bootstrap) > 0 }

// undecided reports servers that would be one listener if their brokers, which are not known yet, are the same.
func (c *compiler) undecided(a, b *plan.Server) bool {
	if a == nil || b == nil || known(a) && known(b) || a.Listen != b.Listen {
		return false
	}
	x, y := *a, *b
	x.Upstream, y.Upstream = plan.Upstream{}, plan.Upstream{}
	return c.alike(&x, &y)
}

func anonymous(s plan.Server) plan.Server {
	s.Name, s.Pointer, s.Advertise, s.SharesListener = "", "", plan.Address{}, ""
	alternatives := make([]plan.Alternative, len(s.Alternatives))
	for i, a := range s.Alternatives {
		alternatives[i] = plan.Alternative{Enabled: a.Enabled, All: slices.Clone(a.All)}
		for j := range a.All {
			alternatives[i].All[j].Scheme, alternatives[i].All[j].Pointer = "", ""
		}
	}
	s.Alternatives = alternatives
	return s
}

func (c *compiler) collisions(claims []claim) {
	reported := map[[2]*plan.Server]bool{}
	for i, b := range claims {
		for _, a := range claims[:i] {
			if a.last < b.first || b.last < a.first || !sameHost(a.host, b.host) || reported[[2]*plan.Server{a.server, b.server}] {
				continue
			}
			if a.server != b.server && c.undecided(a.server, b.server) {
				continue
			}
			reported[[2]*plan.Server{a.server, b.server}] = true
			c.collision(a, b)
		}
	}
}

func (c *compiler) collision(a, b claim) {
	if b.server == nil {
		c.add(plan.Error, "settings/listen-conflict", c.inSettings(c.set.Admin.At), "give admin another port",
			"admin %s, and server %s %s", b.what, a.server.Name, a.what)
		return
	}
	if a.server == b.server {
		at := place{file: c.fileForMissing()}
		if s := c.set.Server(a.server.Name); s != nil {
			at = c.inSettings(s.Brokers.Ports)
		}
		c.add(plan.Error, "settings/listen-conflict", at, "begin the range above it", "server %s %s and %s", a.server.Name, a.what, b.what)
		return
	}
	at := c.placeOf(b.server.Name)
	lines := []string{"listen: :PORT", "brokers: { ports: FIRST-LAST }"}
	if b.server.MQTT != nil {
		lines = lines[:1]
	}
	hint := block(b.server.Name, lines...) +
		"\nservers of equal protocol, security, tls and upstream may share one listener, and, where operations are enforced, of equal channels"
	c.add(plan.Error, "settings/listen-conflict", at, hint, "server %s %s, and server %s %s", b.server.Name, b.what, a.server.Name, a.what)
}

// placeOf is where a server stands in the settings, else in the document.
func (c *compiler) placeOf(name string) place {
	if s := c.set.Server(name); s != nil {
		return c.inSettings(s.At)
	}
	for i := range c.doc.Servers {
		if c.doc.Servers[i].Name == name {
			return inDocument(c.doc.Servers[i].Place)
		}
	}
	return place{file: c.doc.File}
}

// sameHost reports whether two listen hosts can collide: every interface collides with any.
func sameHost(a, b string) bool {
	return a == b || wildcard(a) || wildcard(b)
}

func wildcard(host string) bool {
	return host == "" || net.ParseIP(host) != nil && net.ParseIP(host).IsUnspecified()
}
