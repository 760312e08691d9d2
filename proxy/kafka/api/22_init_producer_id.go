package api

// InitProducerId: without a transactional id it is for whoever may produce at all. Two-phase commit (KIP-939) is a right of
// its own, which nothing here gives.
func init() {
	asks[22] = ask{whole: []about{useTransaction}, special: initProducerID, says: "without a transactional id: produce to any topic"}
}

func initProducerID(q *asking) (Verdict, error) {
	if q.top.int("Enable2Pc") == 1 {
		return q.all(codeTransactionalIDAuthorizationFailed)
	}
	if q.top.text("TransactionalId") == nil {
		if code := q.judge(Question{Kind: 0, AnyTopic: true}); code != 0 {
			return q.all(code)
		}
	}
	return Verdict{Forward: q.body}, nil
}
