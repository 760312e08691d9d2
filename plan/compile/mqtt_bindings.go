package compile

import (
	"slices"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/plan"
)

// mqttBindings sets what the MQTT binding of a server narrows, whatever the principal.
func (c *compiler) mqttBindings(w *work) {
	b, m := w.doc.MQTT, w.out.MQTT
	if b == nil {
		return
	}
	m.ClientID, m.KeepAlive = b.ClientID.Value, b.KeepAlive.Value
	if b.CleanSession.Stated() {
		m.CleanSession = &b.CleanSession.Value
	}
	if b.LastWill == nil {
		return
	}
	m.LastWill = &plan.LastWill{Topic: b.LastWill.Topic.Value}
	if b.LastWill.QoS.Stated() {
		m.LastWill.QoS = &b.LastWill.QoS.Value
	}
	if b.LastWill.Message.Stated() {
		m.LastWill.Message = &b.LastWill.Message.Value
	}
	if b.LastWill.Retain.Stated() {
		m.LastWill.Retain = &b.LastWill.Retain.Value
	}
}

// channelsBoundToMQTT reports whether a server has channels, and all of them a binding to MQTT.
func (c *compiler) channelsBoundToMQTT(s *asyncapi.Server) bool {
	bound := 0
	for i := range c.doc.Channels {
		channel := &c.doc.Channels[i]
		if !c.has(&work{doc: s}, channel) {
			continue
		}
		if !slices.ContainsFunc(channel.Bindings, ofMQTT) {
			return false
		}
		bound++
	}
	return bound > 0
}

func ofMQTT(b asyncapi.Binding) bool { return b.Protocol == "mqtt" || b.Protocol == "mqtt5" }
