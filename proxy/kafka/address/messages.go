package address

import (
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// HideMessages empties the error messages of a response that leaks reports true for. Brokers put addresses into some of
// them: "Request Request(processor=2, connectionId=10.0.0.7:9093-…) is not authorized." Payload, frame and error are
// those of [Rewrite].
func HideMessages(key, version int16, payload []byte, leaks func(message []byte) bool) (frame []byte, err error) {
	_, n, err := wire.ParseResponseHeader(key, version, payload)
	if err != nil {
		return nil, err
	}
	s := wire.Response(key, version)
	if err := s.Check(payload[n:]); err != nil {
		return nil, err
	}
	found := false
	if err := s.Walk(payload[n:], func(f *wire.Field, v wire.Value) bool {
		found = isMessage(f) && leaks(v.Bytes)
		return !found
	}); err != nil || !found {
		return nil, err
	}
	e := editor{body: payload[n:], handle: func(e *editor, f *wire.Field) action {
		switch {
		case isMessage(f) && leaks(e.content(f)):
			e.writeString(f, "")
			return done
		case f.Kind == wire.Array && f.Elem.Kind == wire.Structure, f.Kind == wire.Structure && !f.Nullable:
			return enter
		}
		return keep
	}}
	return e.frame(s, payload[:n])
}

// isMessage reports whether a field is a message for people.
func isMessage(f *wire.Field) bool {
	switch f.Name {
	case "ErrorMessage", "AcknowledgeErrorMessage", "BatchIndexErrorMessage", "StatusDetail":
		return f.Kind == wire.String
	}
	return false
}
