package kafka

// Error codes, by the names and numbers of the protocol guide.
const (
	codeNone                               int16 = 0
	codeUnknownTopicOrPartition            int16 = 3
	codeTopicAuthorizationFailed           int16 = 29
	codeGroupAuthorizationFailed           int16 = 30
	codeClusterAuthorizationFailed         int16 = 31
	codeUnsupportedSaslMechanism           int16 = 33
	codeIllegalSaslState                   int16 = 34
	codeUnsupportedVersion                 int16 = 35
	codeInvalidRequest                     int16 = 42
	codeTransactionalIDAuthorizationFailed int16 = 53
	codeSaslAuthenticationFailed           int16 = 58
	codeFetchSessionIDNotFound             int16 = 70
	codeUnknownTopicID                     int16 = 100
	codeShareSessionNotFound               int16 = 122
	codeInvalidRegularExpression           int16 = 128
)
