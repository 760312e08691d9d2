package settings

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// brokerPorts are the schemes of an MQTT broker's address, and the ports that IANA has registered for them.
var brokerPorts = map[string]uint16{"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}

// SplitBroker takes the address of an MQTT broker apart: host:port, or a URL mqtt://, mqtts://, ws:// or wss:// whose
// port may be missing. It answers the URL in full, with the scheme and the port.
func SplitBroker(s string) (*url.URL, error) {
	if !strings.Contains(s, "://") {
		host, port, err := SplitAddress(s)
		if err != nil {
			return nil, err
		}
		if host == "" || port == 0 {
			return nil, fmt.Errorf("%q names no host and port", s)
		}
		return &url.URL{Scheme: "mqtt", Host: s}, nil
	}
	u, err := url.Parse(s)
	if err != nil {
		return nil, errors.New("the address is no URL") // which is not shown: it may hold a password
	}
	standard, known := brokerPorts[u.Scheme]
	switch {
	case !known:
		return nil, fmt.Errorf("%q is neither mqtt, mqtts, ws nor wss", u.Scheme)
	case u.User != nil: // not shown: it may hold a password
		return nil, errors.New("the address holds a user: user name and password have keys of their own")
	case u.Hostname() == "":
		return nil, fmt.Errorf("%q names no host", s)
	case u.Fragment != "", u.Opaque != "", strings.HasPrefix(u.Scheme, "mqtt") && (strings.Trim(u.Path, "/") != "" || u.RawQuery != ""):
		return nil, fmt.Errorf("%q has more than a host and a port", s)
	}
	port := u.Port()
	if port == "" {
		port = strconv.Itoa(int(standard))
	}
	if number, err := strconv.ParseUint(port, 10, 16); err != nil || number == 0 {
		return nil, fmt.Errorf("%q is no port from 1 to 65535", port)
	}
	if u.Host = net.JoinHostPort(u.Hostname(), port); strings.HasPrefix(u.Scheme, "mqtt") {
		u.Path = ""
	} else if u.Path == "" {
		u.Path = "/"
	}
	return u, nil
}

// broker reads the address of an MQTT broker.
func (r *reader) broker(to *Value[string]) func(node) {
	return func(n node) {
		s, ok := r.address(n, "an address such as mosquitto:1883 or mqtts://broker.example.org", "HOST")
		if !ok {
			return
		}
		if _, err := SplitBroker(s); err != nil {
			r.invalid(n, "write mosquitto:1883, or a URL mqtt://, mqtts://, ws:// or wss://", "%v", err)
			return
		}
		*to = Value[string]{n.at, s}
	}
}

// origins reads what browsers send as Origin: scheme://host, with the port where it is not the scheme's own.
func (r *reader) origins(to *[]Value[string]) func(node) {
	return func(n node) {
		r.items(n, "a list of origins", func(item node) {
			s, ok := r.scalar(item, "an origin such as https://app.example.org")
			if !ok {
				return
			}
			u, err := url.Parse(s)
			if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Scheme+"://"+u.Host != s {
				r.invalid(item, "write it as browsers do: https://app.example.org", "%q is no origin", s)
				return
			}
			*to = append(*to, Value[string]{item.at, strings.ToLower(s)})
		})
	}
}
