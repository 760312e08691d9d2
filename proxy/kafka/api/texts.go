package api

// texts are Kafka's own messages for error codes, which clients show. They are constant: nothing of a request or of the
// gateway's reasons is in them.
var texts = map[int16]string{
	codeTopicAuthorizationFailed:           "Topic authorization failed.",
	codeGroupAuthorizationFailed:           "Group authorization failed.",
	codeClusterAuthorizationFailed:         "Cluster authorization failed.",
	codeTransactionalIDAuthorizationFailed: "Transactional Id authorization failed.",
	codeOperationNotAttempted:              "The broker did not attempt to execute this operation. This may happen for batched RPCs where some operations in the batch failed, causing the broker to respond without trying the rest.",
	codeUnknownTopicID:                     "This server does not host this topic ID.",
	codeIllegalSaslState:                   "Request is not valid given the current SASL state.",
	codeInvalidRequest:                     "This most likely occurs because of a request being malformed by the client library or the message was sent to an incompatible broker. See the broker logs for more details.",
	codeDelegationTokenRequestNotAllowed:   "Delegation Token requests are not allowed on PLAINTEXT/1-way SSL channels and on delegation token authenticated channels.",
}

// textUnseenTopics is what a broker says of a group that uses topics which the client may not see.
const textUnseenTopics = "The group has described topic(s) that the client is not authorized to describe."
