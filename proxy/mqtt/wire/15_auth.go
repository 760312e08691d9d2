package wire

// Auth is an AUTH, of MQTT 5 alone. Its Properties carry the method and the data.
type Auth struct {
	Code       ReasonCode
	Properties Properties
}

// DecodeAuth reads the body of an AUTH. The error is a [*Malformed]. One without a method is one (MQTT 5 section
// 3.15.2.2.2), also where its body is empty, which the specification allows in one sentence and forbids in another.
func DecodeAuth(body []byte, from Sender) (Auth, error) {
	r := reader{b: body}
	var a Auth
	if len(r.b) > 0 {
		a.Code = r.reasonCode(AUTH)
		if len(r.b) > 0 {
			a.Properties = r.properties(AUTH, V5)
		}
	}
	switch {
	case !a.Properties.Has(AuthenticationMethod):
		r.fail(AuthenticationMethod.String(), ProtocolError, reasonAbsent)
	case from == Client && a.Code == Success, from == Server && a.Code == ReAuthenticate:
		r.fail("Reason Code", ProtocolError, reasonSender)
	}
	return a, r.end(AUTH)
}

// Method is the name of the mechanism. It is never absent from what was decoded, but may be empty.
func (a Auth) Method() string {
	method, _ := a.Properties.Bytes(AuthenticationMethod)
	return string(method)
}

// Data is the message of the mechanism; nil if there is none.
func (a Auth) Data() []byte {
	data, _ := a.Properties.Bytes(AuthenticationData)
	return data
}

// Append appends the whole packet, in its shortest form.
func (a Auth) Append(dst []byte) []byte { return appendOutcome(dst, AUTH, a.Code, a.Properties, V5) }
