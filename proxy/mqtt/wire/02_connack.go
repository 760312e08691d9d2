package wire

// Connack is a CONNACK.
type Connack struct {
	SessionPresent bool
	Code           ReasonCode // of MQTT 5; in 3.x a return code, see [ReasonCode.ReturnCode]
	Properties     Properties
}

// DecodeConnack reads the body of a CONNACK. The error is a [*Malformed].
func DecodeConnack(body []byte, v Version) (Connack, error) {
	r := &reader{b: body}
	flags := r.byte("Connect Acknowledge Flags")
	if flags > 1 {
		r.fail("Connect Acknowledge Flags", MalformedPacket, reasonFlags)
	}
	c := Connack{SessionPresent: flags == 1}
	if v == V5 {
		c.Code = r.reasonCode(CONNACK)
	} else if c.Code = ReasonCode(r.byte("Return Code")); byte(c.Code) > NotAuthorized3 {
		r.fail("Return Code", MalformedPacket, reasonValue)
	}
	if c.SessionPresent && (c.Code != Success || v == V31) {
		r.fail("Session Present", ProtocolError, reasonValue)
	}
	c.Properties = r.properties(CONNACK, v)
	return c, r.end(CONNACK)
}

// Append appends the whole packet in the form of that version. For 3.x the code must be a return code.
func (c Connack) Append(dst []byte, v Version) []byte {
	var flags byte
	if c.SessionPresent {
		flags = 1
	}
	dst = appendHeader(dst, CONNACK, 0, 2+c.Properties.size(v))
	return c.Properties.append(append(dst, flags, byte(c.Code)), v)
}

// AppendRefusal appends the CONNACK that refuses a client of that version with a code of MQTT 5. It appends nothing where
// the version has no word for it, or is not known: such a connection is closed without one.
func AppendRefusal(dst []byte, v Version, code ReasonCode, properties Properties) []byte {
	if v == V5 {
		if !code.In(CONNACK) {
			code = UnspecifiedError
		}
		return Connack{Code: code, Properties: properties}.Append(dst, v)
	}
	old, ok := code.ReturnCode()
	if v == 0 || !ok {
		return dst
	}
	return Connack{Code: ReasonCode(old)}.Append(dst, v)
}
