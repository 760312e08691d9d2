package settings

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/asyncgate/asyncgate/plan"
)

// SplitAddress takes host:port apart. The host may be empty; the port is a number from 0 to 65535.
func SplitAddress(s string) (host string, port uint16, err error) {
	host, text, err := net.SplitHostPort(s)
	if err != nil {
		return "", 0, fmt.Errorf("%q is not host:port", s)
	}
	number, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("%q is no port from 0 to 65535", text)
	}
	if strings.ContainsAny(host, "/@{} \t") {
		return "", 0, fmt.Errorf("%q is no host", host)
	}
	return host, uint16(number), nil
}

// listen reads an address to bind; an empty host is every interface.
func (r *reader) listen(to *Value[string]) func(node) {
	return func(n node) {
		s, ok := r.address(n, "an address such as :9092 or 127.0.0.1:9092", "")
		if !ok {
			return
		}
		if _, _, err := SplitAddress(s); err != nil {
			r.invalid(n, "write :9092 for every interface, or 127.0.0.1:9092", "%v", err)
			return
		}
		*to = Value[string]{n.at, s}
	}
}

// address is the text of an address; a bare port gets its own hint.
func (r *reader) address(n node, want, host string) (string, bool) {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!int" {
		r.wrongType(n, want, "write "+host+":"+n.Value)
		return "", false
	}
	return r.scalar(n, want)
}

// advertise reads an address for clients to dial. Port 0 stands for the port that listen gets.
func (r *reader) advertise(to *Value[plan.Address]) func(node) {
	return func(n node) {
		s, ok := r.address(n, "host:port", "HOST")
		if !ok {
			return
		}
		host, port, err := SplitAddress(s)
		if err == nil && host == "" {
			err = fmt.Errorf("%q names no host", s)
		}
		if err != nil {
			r.invalid(n, "write what clients dial, such as kafka.example.org:9092", "%v", err)
			return
		}
		*to = Value[plan.Address]{n.at, plan.Address{Host: host, Port: port}}
	}
}

// dialled reads a list of addresses to dial.
func (r *reader) dialled(to *[]Value[string]) func(node) {
	return func(n node) {
		r.items(n, "a list of addresses", func(item node) {
			s, ok := r.address(item, "host:port", "HOST")
			if !ok {
				return
			}
			host, port, err := SplitAddress(s)
			if err == nil && (host == "" || port == 0) {
				err = fmt.Errorf("%q names no host and port", s)
			}
			if err != nil {
				r.invalid(item, "write a broker's host:port, such as kafka-1:9092", "%v", err)
				return
			}
			*to = append(*to, Value[string]{item.at, s})
		})
	}
}

// prefixes reads client networks; a single address is a network of one.
func (r *reader) prefixes(to *[]netip.Prefix) func(node) {
	return func(n node) {
		r.items(n, "a list of networks", func(item node) {
			s, ok := r.scalar(item, "a network such as 10.0.0.0/8")
			if !ok {
				return
			}
			prefix, err := netip.ParsePrefix(s)
			if addr, single := netip.ParseAddr(s); single == nil {
				prefix, err = netip.PrefixFrom(addr, addr.BitLen()), nil
			}
			if err != nil {
				r.invalid(item, "write 10.0.0.0/8 or a single address", "%q is no network", s)
				return
			}
			*to = append(*to, prefix.Masked())
		})
	}
}
