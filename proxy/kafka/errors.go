package kafka

// Error codes, by the names and numbers of the protocol guide.
const (
	codeNone                     int16 = 0
	codeUnsupportedSaslMechanism int16 = 33
	codeIllegalSaslState         int16 = 34
	codeUnsupportedVersion       int16 = 35
	codeInvalidRequest           int16 = 42
	codeSaslAuthenticationFailed int16 = 58
)
