package proxy

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/tlsconf"
)

// names are the TLS server names of a server: those of its bootstrap address and, where brokers are told apart by name,
// those of its brokers.
type names struct {
	bootstrap      []string
	prefix, suffix string // around the id in a broker's name, lower case
	brokers        bool
}

// placeholder stands for the broker's id in a template.
const placeholder = "{id}"

// namesOf are the names of a server and of the servers that share its listener.
func namesOf(server *plan.Server, shared []*plan.Server) names {
	var n names
	for _, s := range append([]*plan.Server{server}, shared...) {
		if s.Advertise.Host != "" {
			n.bootstrap = append(n.bootstrap, s.Advertise.Host)
		}
	}
	n.prefix, n.suffix, n.brokers = strings.Cut(strings.ToLower(server.Brokers.SNI), placeholder)
	return n
}

// broker says whose address a name is. No name is the bootstrap address: clients that dial an IP address send none.
// Without broker names every name is the bootstrap's.
func (n *names) broker(name string) (id int32, ok bool) {
	if !n.brokers || name == "" {
		return Bootstrap, true
	}
	for _, host := range n.bootstrap {
		if strings.EqualFold(name, host) {
			return Bootstrap, true
		}
	}
	digits, ok := strings.CutPrefix(strings.ToLower(name), n.prefix)
	if !ok {
		return 0, false
	}
	if digits, ok = strings.CutSuffix(digits, n.suffix); !ok {
		return 0, false
	}
	v, err := strconv.ParseUint(digits, 10, 31)
	if err != nil || strconv.FormatUint(v, 10) != digits { // one spelling for each id
		return 0, false
	}
	return int32(v), true
}

var errUnknownName = errors.New("tls: unknown server name")

// guard refuses a ClientHello with an unknown name before anything is proved to it.
func (n *names) guard(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	if _, ok := n.broker(hello.ServerName); !ok {
		return nil, fmt.Errorf("%w %s", errUnknownName, quoted(hello.ServerName))
	}
	return nil, nil
}

// covered reports the first name that clients will expect in the certificate and not find. Of brokers' names the
// certificate must have all, by a wildcard, or some: which brokers there are is not known yet.
func (n *names) covered(certificate *x509.Certificate) error {
	for _, host := range n.bootstrap {
		if !tlsconf.Covers(certificate, host) {
			return fmt.Errorf("the certificate does not cover %q, which clients dial; issue one with that name, or advertise one of its names", host)
		}
	}
	if !n.brokers || tlsconf.Covers(certificate, n.prefix+"0"+n.suffix) {
		return nil
	}
	for _, name := range certificate.DNSNames {
		if id, ok := n.broker(name); ok && id != Bootstrap {
			return nil
		}
	}
	return fmt.Errorf("the certificate does not cover the brokers' names %q; issue one with the wildcard %q, or with every broker's name",
		n.prefix+placeholder+n.suffix, wildcard(n.prefix+placeholder+n.suffix))
}

// wildcard is the certificate name that covers a template.
func wildcard(template string) string {
	if _, rest, ok := strings.Cut(template, "."); ok {
		return "*." + rest
	}
	return template
}
