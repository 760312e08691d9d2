package wire

// Suback is a SUBACK or an UNSUBACK: they have one form, but for the UNSUBACK of 3.x, which has no codes.
type Suback struct {
	Type       Type
	PacketID   uint16
	Properties Properties
	Codes      []byte // one for each filter, in the order of the request; see [ReasonCode], and [Failure] for 3.1.1
}

// DecodeSuback reads the body of a SUBACK or an UNSUBACK. The error is a [*Malformed].
func DecodeSuback(t Type, body []byte, v Version) (Suback, error) {
	r := reader{b: body}
	s := Suback{Type: t, PacketID: r.packetID(), Properties: r.properties(t, v)}
	if t == UNSUBACK && v != V5 {
		return s, r.end(t)
	}
	s.Codes = r.take("Reason Code", len(r.b))
	for _, c := range s.Codes {
		if !granted(t, v, c) {
			r.fail("Reason Code", ProtocolError, reasonCode)
		}
	}
	if len(s.Codes) == 0 {
		r.fail("Reason Code", ProtocolError, reasonAbsent)
	}
	return s, r.end(t)
}

// granted reports whether the version has that code for a filter.
func granted(t Type, v Version, c byte) bool {
	if v == V5 {
		return ReasonCode(c).In(t)
	}
	return c <= 2 || c == Failure && v == V311
}

// Append appends the whole packet.
func (s Suback) Append(dst []byte, v Version) []byte {
	codes := s.Codes
	if s.Type == UNSUBACK && v != V5 {
		codes = nil
	}
	dst = appendHeader(dst, s.Type, 0, 2+s.Properties.size(v)+len(codes))
	dst = s.Properties.append(append(dst, byte(s.PacketID>>8), byte(s.PacketID)), v)
	return append(dst, codes...)
}
