package compile

import (
	"strings"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/settings"
)

// mqtt sets what only MQTT servers have.
func (c *compiler) mqtt(w *work) {
	w.version = w.doc.ProtocolVersion.Value
	w.out.MQTT = &plan.MQTT{
		Only5: w.doc.Protocol.Value == "mqtt5", WebSocket: w.webSocket(), ClientIDs: plan.DerivedIDs,
	}
	m := w.out.MQTT
	if m.WebSocket {
		m.Path = w.path
		for _, origin := range w.set.Origins {
			m.Origins = append(m.Origins, origin.V)
		}
	} else if len(w.set.Origins) > 0 {
		c.noEffect(w, w.set.Origins[0].At, "origins count for WebSocket only, and the protocol is "+w.doc.Protocol.Value)
	}
	if w.set.ClientIDs.V == string(plan.VerbatimIDs) {
		m.ClientIDs = plan.VerbatimIDs
		c.add(plan.Warning, "settings/client-ids", c.inSettings(w.set.ClientIDs.At), "leave it out unless the broker binds client ids to users itself",
			"clients of server %s choose the client id that the broker sees, and so whose session they take over", w.doc.Name)
	}
}

// upstreamMQTT sets the broker behind an MQTT server.
func (c *compiler) upstreamMQTT(w *work) {
	u, out := &w.set.Upstream, &w.out.Upstream
	address, at := u.Address.V, c.inSettings(u.Address.At)
	if list, ok := c.opt.Upstream[w.doc.Name]; ok {
		if len(list) != 1 {
			c.add(plan.Error, "settings/options", place{}, "", "upstream of server %s: an MQTT server has one broker behind it", w.doc.Name)
		}
		address, at = list[0], place{}
	}
	out.Identity = plan.IdentityService
	if u.Identity.V == plan.IdentityToken || u.Identity.V == plan.IdentityExchanged {
		c.add(plan.Error, "settings/unsupported", c.inSettings(u.Identity.At), "write identity: principal or service, or leave it out",
			"identity: %s is not supported on MQTT", u.Identity.V)
	}
	if u.Identity.V != "" {
		out.Identity = u.Identity.V
	}
	if u.TLS.Stated() {
		out.TLS = &plan.UpstreamTLS{
			CA: u.TLS.CA.V, ServerName: u.TLS.ServerName.V, Certificate: u.TLS.Certificate.V, Key: u.TLS.Key.V,
		}
	}
	out.Username, out.Password = u.Username.V, u.Password.V
	if out.Identity == plan.IdentityPrincipal && out.Username != "" {
		c.add(plan.Error, "settings/invalid-value", c.inSettings(u.Username.At), "keep one of the two",
			"identity: principal makes the client's name the user name, so username counts for nothing")
	}
	if address != "" {
		c.brokerURL(w, address, at)
	}
}

// brokerURL sets the broker's URL. TLS and the scheme have to say the same.
func (c *compiler) brokerURL(w *work, address string, at place) {
	out := &w.out.Upstream
	url, err := settings.SplitBroker(address)
	if err != nil {
		return // reported where it was read
	}
	switch encrypted := url.Scheme == "mqtts" || url.Scheme == "wss"; {
	case encrypted && out.TLS == nil:
		out.TLS = &plan.UpstreamTLS{}
	case !encrypted && out.TLS != nil && !strings.Contains(address, "://"):
		url.Scheme = "mqtts"
	case !encrypted && out.TLS != nil:
		c.add(plan.Error, "settings/invalid-value", at, "write "+url.Scheme+"s://, or remove upstream tls",
			"the address of the broker of server %s begins with %s://, which has no TLS", w.doc.Name, url.Scheme)
	case !encrypted && out.Password != "":
		c.add(plan.Warning, "settings/upstream-plaintext", c.inSettings(w.set.Upstream.Password.At), "add upstream tls",
			"the gateway sends its own password to the broker of server %s in clear text", w.doc.Name)
	}
	out.Bootstrap = []string{url.String()}
}

// misplaced reports settings of the other protocol.
func (c *compiler) misplaced(w *work) {
	u := &w.set.Upstream
	wrong := func(at settings.At, key, hint string) {
		if at.Stated() {
			c.add(plan.Error, "settings/other-protocol", c.inSettings(at), hint, "server %s speaks %s, which has no %s", w.doc.Name, w.speaks(), key)
		}
	}
	if w.family == familyMQTT {
		if len(u.Bootstrap) > 0 {
			wrong(u.Bootstrap[0].At, "bootstrap", "write address: HOST:1883")
		}
		wrong(u.SASL.At, "upstream sasl", "write username and password beside address")
		wrong(u.Exchange.At, "exchange", "remove it")
		wrong(w.set.Brokers.At, "brokers", "remove it")
		return
	}
	wrong(u.Address.At, "upstream address", "write bootstrap: [BROKER:9092]")
	wrong(u.Username.At, "upstream username", "write sasl: { mechanism: …, username: …, password: … }")
	wrong(u.Password.At, "upstream password", "write sasl: { mechanism: …, username: …, password: … }")
	wrong(w.set.Protocol.At, "choice of another", "remove it")
	wrong(w.set.ClientIDs.At, "clientIds", "remove it")
	if len(w.set.Origins) > 0 {
		wrong(w.set.Origins[0].At, "origins", "remove it")
	}
	if u.Identity.V == plan.IdentityPrincipal {
		c.add(plan.Error, "settings/unsupported", c.inSettings(u.Identity.At), "write identity: service, or leave it out", "identity: principal is not supported on Kafka yet")
	}
}

// noEffect reports a setting that counts for nothing.
func (c *compiler) noEffect(w *work, at settings.At, why string) {
	c.add(plan.Warning, "settings/no-effect", c.inSettings(at), "", "server %s: %s", w.doc.Name, why)
}
