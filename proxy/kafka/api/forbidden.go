package api

import "github.com/asyncgate/asyncgate/proxy/kafka/wire"

// Inspected reports whether [Forbidden] and [Split] must see requests of this API whole.
func (a API) Inspected() bool {
	switch a.Key {
	case keyFetch, keyListOffsets, keyFindCoordinator, keyOffsetForLeaderEpoch, keyDescribeConfigs:
		return true
	}
	return false
}

// Why a request is forbidden; constant texts, for the audit record.
const (
	reasonReplica = "a replica id: only brokers replicate"
	reasonShare   = "the coordinator of a share group's state: only brokers ask for it"
)

// keyTypeShare asks FindCoordinator for a share coordinator, which a broker answers to CLUSTER_ACTION alone (KIP-932).
const keyTypeShare = 2

// Forbidden says why a request of an allowed API is one that only brokers send: a replica id that is not negative in
// Fetch, ListOffsets or OffsetForLeaderEpoch, a key type of FindCoordinator. No setting lets it pass. Empty: it is none.
//
// The request must be whole. The error is one of package wire for a request that breaks its definition, which may not pass
// either; of other APIs nothing is looked at.
func Forbidden(h wire.RequestHeader, body []byte) (reason string, err error) {
	var field string
	forbidden := false
	switch h.Key {
	case keyFetch, keyListOffsets, keyOffsetForLeaderEpoch:
		field, reason = "ReplicaId", reasonReplica
	case keyFindCoordinator:
		field, reason = "KeyType", reasonShare
	default:
		return "", nil
	}
	err = wire.Request(h.Key, h.Version).WalkTop(body, func(f *wire.Field, v wire.Value) bool {
		if f.Name == field {
			forbidden = forbidden || field == "ReplicaId" && v.Int() >= 0 || field == "KeyType" && v.Int() == keyTypeShare
		}
		return true
	})
	if err != nil || !forbidden {
		return "", err
	}
	return reason, nil
}
