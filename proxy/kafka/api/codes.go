package api

// Error codes of the protocol (https://kafka.apache.org/protocol#protocol_error_codes), by their names there.
const (
	codeTopicAuthorizationFailed           int16 = 29
	codeGroupAuthorizationFailed           int16 = 30
	codeClusterAuthorizationFailed         int16 = 31
	codeIllegalSaslState                   int16 = 34
	codeInvalidRequest                     int16 = 42
	codeTransactionalIDAuthorizationFailed int16 = 53
	codeOperationNotAttempted              int16 = 55
	codeDelegationTokenRequestNotAllowed   int16 = 64
	codeUnknownTopicID                     int16 = 100
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
	keyProduce                 = 0
	keyFetch                   = 1
	keyListOffsets             = 2
	keyMetadata                = 3
	keyFindCoordinator         = 10
	keyOffsetForLeaderEpoch    = 23
	keyDescribeConfigs         = 32
	keyConsumerGroupHeartbeat  = 68
	keyDescribeTopicPartitions = 75
	keyShareFetch              = 78
	keyShareAcknowledge        = 79
	keyStreamsGroupHeartbeat   = 88
)
