package api

// Error codes of the protocol (https://kafka.apache.org/protocol#protocol_error_codes), by their names there.
const (
	codeTopicAuthorizationFailed         int16 = 29
	codeGroupAuthorizationFailed         int16 = 30
	codeClusterAuthorizationFailed       int16 = 31
	codeIllegalSaslState                 int16 = 34
	codeInvalidRequest                   int16 = 42
	codeDelegationTokenRequestNotAllowed int16 = 64
)

// Resource types of configurations (org.apache.kafka.common.config.ConfigResource.Type).
const (
	resourceTopic         = 2
	resourceBroker        = 4
	resourceBrokerLogger  = 8
	resourceClientMetrics = 16
	resourceGroup         = 32
)

// Api keys that the code names.
const (
	keyFetch                = 1
	keyListOffsets          = 2
	keyFindCoordinator      = 10
	keyOffsetForLeaderEpoch = 23
	keyDescribeConfigs      = 32
)
