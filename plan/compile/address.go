package compile

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/settings"
)

// addresses sets what a server binds and what clients are told to dial. The settings count, else the document.
func (c *compiler) addresses(w *work) {
	advertise, listen := w.set.Advertise, w.set.Listen
	if s, ok := c.opt.Advertise[w.doc.Name]; ok {
		host, port, _ := settings.SplitAddress(s) // validated
		advertise.V, advertise.At = plan.Address{Host: host, Port: port}, settings.At{Line: 1}
	}
	if s, ok := c.opt.Listen[w.doc.Name]; ok {
		listen.V, listen.At = s, settings.At{Line: 1}
	}
	var stated plan.Address
	if !advertise.Stated() || !listen.Stated() || w.webSocket() { // which has its path there
		stated = c.stated(w)
	}
	if w.out.Listen = listen.V; !listen.Stated() && stated.Port > 0 {
		w.out.Listen = ":" + strconv.Itoa(int(stated.Port))
	}
	if w.out.Advertise = advertise.V; !advertise.Stated() {
		w.out.Advertise = stated
		if listen.Stated() && listenPort(listen.V) == 0 {
			w.out.Advertise.Port = 0 // the one that is bound
		}
	}
}

// listenPort is the port of an address that was checked before; 0 if there is none.
func listenPort(listen string) uint16 {
	_, port, _ := settings.SplitAddress(listen)
	return port
}

// stated is the address that the document gives a server. What cannot be told is reported, once.
func (c *compiler) stated(w *work) plan.Address {
	text := w.doc.Address()
	if !text.Stated() { // the reader has said so
		return plan.Address{}
	}
	at := inDocument(text.Place)
	address, ok := c.substitute(w, text)
	if !ok {
		return plan.Address{Host: address}
	}
	if scheme, rest, found := strings.Cut(address, "://"); found {
		address = rest
		if !sameFamily(scheme, w) {
			c.add(plan.Warning, "security/address-scheme", at, "remove it from the address",
				"the address begins with %s:// although the protocol is %s; the protocol counts", scheme, w.doc.Protocol.Value)
		}
	}
	if host, path, found := strings.Cut(address, "/"); found {
		address = host
		c.pathOf(w, "/"+path, at)
	}
	if w.doc.Pathname.Stated() {
		path, _ := c.fill(w, w.doc.Pathname)
		c.pathOf(w, path, inDocument(w.doc.Pathname.Place))
	}
	host, port, err := splitHost(address)
	switch {
	case err != nil:
		c.add(plan.Error, "security/address", at, "write host:port into the document, or listen: and advertise: into the settings",
			"%q is no address: %v", address, err)
		return plan.Address{}
	case port == 0:
		c.add(plan.Warning, "security/no-port", at, "write the port into the document, or listen: and advertise: into the settings",
			"the address has no port; %d is taken", w.defaultPort())
		port = w.defaultPort()
	}
	return plan.Address{Host: host, Port: port}
}

// sameFamily reports whether a URL scheme before an address belongs to what the server speaks.
func sameFamily(scheme string, w *work) bool {
	of := family(strings.ToLower(scheme))
	if of == familyWebSocket {
		return w.webSocket()
	}
	return of == w.family && !w.webSocket()
}

// pathOf notes the path of an address, which only WebSocket has.
func (c *compiler) pathOf(w *work, path string, at place) {
	switch {
	case w.webSocket():
		w.path = "/" + strings.TrimPrefix(path, "/")
	case strings.Trim(path, "/") != "":
		c.add(plan.Warning, "security/address-path", at, "remove it from the address", "an address of %s has no path, so %s counts for nothing", w.speaks(), path)
	}
}

// splitHost takes an address apart whose port may be missing; it is 0 then.
func splitHost(address string) (string, uint16, error) {
	if strings.Contains(address, ",") {
		return "", 0, errors.New("it names several hosts")
	}
	host, port, err := settings.SplitAddress(address)
	if err != nil {
		if trimmed := strings.Trim(address, "[]"); net.ParseIP(trimmed) != nil {
			return trimmed, 0, nil
		}
		if strings.Contains(address, ":") {
			return "", 0, err
		}
		host, port, err = settings.SplitAddress(address + ":0")
	} else if port == 0 {
		return "", 0, errors.New("port 0 cannot be dialled")
	}
	if err == nil && host == "" {
		err = errors.New("it names no host")
	}
	return host, port, err
}

var plainKey = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)

var placeholder = regexp.MustCompile(`\{([^{}]*)\}`)

// substitute puts values for the {variables} of an address: what the settings choose, else the default, else the only
// value there is. It answers false if one has none.
func (c *compiler) substitute(w *work, text asyncapi.Text) (string, bool) {
	for _, chosen := range w.set.Variables {
		if !slices.ContainsFunc(w.doc.Variables, func(v asyncapi.Variable) bool { return v.Name == chosen.Name }) &&
			!strings.Contains(text.Value, "{"+chosen.Name+"}") {
			c.add(plan.Error, "settings/variable", c.inSettings(chosen.At), "", "server %s has no variable %q", w.doc.Name, chosen.Name)
		}
	}
	return c.fill(w, text)
}

// fill puts the values of variables into a text. It answers false if one has none.
func (c *compiler) fill(w *work, text asyncapi.Text) (string, bool) {
	ok := true
	filled := placeholder.ReplaceAllStringFunc(text.Value, func(hole string) string {
		value, found := c.variable(w, strings.Trim(hole, "{}"), text)
		ok = ok && found
		if !found {
			return hole
		}
		return value
	})
	return filled, ok
}

func (c *compiler) variable(w *work, name string, text asyncapi.Text) (string, bool) {
	var declared asyncapi.Variable
	for _, v := range w.doc.Variables {
		if v.Name == name {
			declared = v
		}
	}
	var enum []string
	for _, e := range declared.Enum {
		enum = append(enum, e.Value)
	}
	for _, chosen := range w.set.Variables {
		if chosen.Name != name {
			continue
		}
		if len(enum) > 0 && !slices.Contains(enum, chosen.V) {
			c.add(plan.Error, "settings/variable", c.inSettings(chosen.At), "choose one of "+strings.Join(enum, ", "),
				"%q is no value of the variable %s", chosen.V, name)
			return "", false
		}
		return chosen.V, true
	}
	if declared.Default.Stated() {
		return declared.Default.Value, true
	}
	if len(enum) == 1 {
		return enum[0], true
	}
	severity := plan.Warning
	if c.opt.Deployment {
		severity = plan.Error
	}
	example := "VALUE"
	if len(enum) > 0 {
		example = enum[0]
	}
	c.add(severity, "settings/variable", inDocument(text.Place),
		block(w.doc.Name, fmt.Sprintf("variables: { %s: %s }", name, example)),
		"the variable {%s} of the address has no default", name)
	return "", false
}

// block is a hint with the lines to write into the settings for a server.
func block(server string, lines ...string) string {
	if !plainKey.MatchString(server) {
		server = strconv.Quote(server)
	}
	return "write into asyncgate.yaml:\nservers:\n  " + server + ":\n    " + strings.Join(lines, "\n    ")
}
