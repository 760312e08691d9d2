package kafka

// SaslHandshake, versions 0 and 1: the client names a mechanism (KIP-43). After version 0 bare tokens follow, after
// version 1 SaslAuthenticate requests (KIP-152).
const (
	keySaslHandshake        = 17
	maxSaslHandshakeVersion = 1
)

// parseSaslHandshake returns the mechanism that the client asks for. Bytes after it are tolerated, as brokers do.
func parseSaslHandshake(body []byte) (mechanism string, ok bool) {
	r := newParser(body)
	name := r.string()
	return string(name), r.ok
}

// saslHandshakeAnswer is a SaslHandshake response of either version, as a frame.
func saslHandshakeAnswer(correlation int32, code int16, mechanisms []string) []byte {
	b := newFrame(64).int32(correlation).int16(code).int32(int32(len(mechanisms)))
	for _, m := range mechanisms {
		b = b.string(m)
	}
	return b.finish()
}
