package api

// AlterConfigs: each resource asks for a right of its own kind. The levels of a broker's loggers can only be altered by
// IncrementalAlterConfigs (KIP-412), which a broker says before it looks at rights.
func init() {
	special[33] = form{
		items: pairs{"Responses": "Resources"},
		denyItem: func(it item) int16 {
			if it.int("ResourceType") == resourceBrokerLogger {
				return codeInvalidRequest
			}
			return denyConfig(it)
		},
	}
}

// denyConfig is the error for the configurations of one resource, by what the broker's authorizer is asked about.
func denyConfig(it item) int16 {
	switch it.int("ResourceType") {
	case resourceTopic:
		return codeTopicAuthorizationFailed
	case resourceGroup:
		return codeGroupAuthorizationFailed
	case resourceBroker, resourceBrokerLogger, resourceClientMetrics:
		return codeClusterAuthorizationFailed
	}
	return codeInvalidRequest
}
