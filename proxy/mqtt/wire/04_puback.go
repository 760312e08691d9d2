package wire

// Ack is a PUBACK, PUBREC, PUBREL or PUBCOMP: they have one form.
type Ack struct {
	Type       Type
	PacketID   uint16
	Code       ReasonCode // Success in 3.x, which has no codes
	Properties Properties
}

// DecodeAck reads the body of a PUBACK, PUBREC, PUBREL or PUBCOMP. The error is a [*Malformed].
func DecodeAck(t Type, body []byte, v Version) (Ack, error) {
	r := reader{b: body}
	a := Ack{Type: t, PacketID: r.packetID()}
	if v == V5 && len(r.b) > 0 {
		a.Code = r.reasonCode(t)
		if len(r.b) > 0 { // without any the length may be left out
			a.Properties = r.properties(t, v)
		}
	}
	return a, r.end(t)
}

// Append appends the whole packet, in its shortest form. 3.x says nothing of the code.
func (a Ack) Append(dst []byte, v Version) []byte {
	flags := byte(0)
	if a.Type == PUBREL {
		flags = 2
	}
	remaining := 2
	if v == V5 && (a.Code != Success || len(a.Properties) > 0) {
		remaining++
		if len(a.Properties) > 0 {
			remaining += a.Properties.size(v)
		}
	}
	dst = append(appendHeader(dst, a.Type, flags, remaining), byte(a.PacketID>>8), byte(a.PacketID))
	if remaining > 2 {
		dst = append(dst, byte(a.Code))
	}
	if remaining > 3 {
		dst = a.Properties.append(dst, v)
	}
	return dst
}
