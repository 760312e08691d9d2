package wire

// Disconnect is a DISCONNECT. In 3.x only a client sends one, and it says nothing.
type Disconnect struct {
	Code       ReasonCode
	Properties Properties
}

// DecodeDisconnect reads the body of a DISCONNECT. The error is a [*Malformed].
func DecodeDisconnect(body []byte, v Version, from Sender) (Disconnect, error) {
	r := reader{b: body}
	var d Disconnect
	if v == V5 && len(r.b) > 0 {
		d.Code = r.reasonCode(DISCONNECT)
		if len(r.b) > 0 { // without any the length may be left out
			d.Properties = r.properties(DISCONNECT, v)
		}
	}
	switch {
	case from == Client && d.Properties.Has(ServerReference):
		r.fail(ServerReference.String(), ProtocolError, reasonSender)
	case from == Server && d.Properties.Has(SessionExpiryInterval):
		r.fail(SessionExpiryInterval.String(), ProtocolError, reasonSender)
	case from == Client && serverOnly(d.Code), from == Server && d.Code == DisconnectWithWillMessage:
		r.fail("Reason Code", ProtocolError, reasonSender)
	}
	return d, r.end(DISCONNECT)
}

// serverOnly reports whether only a server disconnects with that code (MQTT 5 section 3.14.2.1).
func serverOnly(c ReasonCode) bool {
	switch c {
	case NotAuthorized, ServerBusy, ServerShuttingDown, KeepAliveTimeout, SessionTakenOver, TopicFilterInvalid,
		RetainNotSupported, QoSNotSupported, UseAnotherServer, ServerMoved, SharedSubscriptionsNotSupported,
		ConnectionRateExceeded, MaximumConnectTime, SubscriptionIdentifiersNotSupported, WildcardSubscriptionsNotSupported:
		return true
	}
	return false
}

// Append appends the whole packet, in its shortest form. 3.x says nothing of the code.
func (d Disconnect) Append(dst []byte, v Version) []byte {
	return appendOutcome(dst, DISCONNECT, d.Code, d.Properties, v)
}

// appendOutcome appends a packet of a code and properties, of which the properties, and then the code, are left out where
// they say nothing.
func appendOutcome(dst []byte, t Type, c ReasonCode, p Properties, v Version) []byte {
	switch {
	case v != V5 || c == Success && len(p) == 0:
		return appendHeader(dst, t, 0, 0)
	case len(p) == 0:
		return append(appendHeader(dst, t, 0, 1), byte(c))
	}
	return p.append(append(appendHeader(dst, t, 0, 1+p.size(v)), byte(c)), v)
}
