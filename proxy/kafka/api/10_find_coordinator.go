package api

import "github.com/asyncgate/asyncgate/policy"

// FindCoordinator: of a group or a transactional id, as the key type says; one key until v3, a list from v4 on. The third
// type, share, is for brokers.
func init() {
	asks[keyFindCoordinator] = ask{items: "CoordinatorKeys", special: findCoordinator, says: "asks for the groups or transactional ids it names"}
}

func findCoordinator(q *asking) (Verdict, error) {
	kind := policy.Group
	switch q.top.int("KeyType") {
	case -1, 0: // v0 has no types, and knows groups
	case 1:
		kind = policy.Transaction
	default:
		return q.all(codeInvalidRequest)
	}
	if q.h.Version >= 4 {
		q.each = about{"CoordinatorKeys", kind, policy.Describe}
		return q.split()
	}
	key := about{"Key", kind, policy.Describe}
	if code := key.judge(q.top, q.judge); code != 0 {
		return q.all(code)
	}
	return Verdict{Forward: q.body}, nil
}
