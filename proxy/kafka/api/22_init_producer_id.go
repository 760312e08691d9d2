package api

// InitProducerId: without a transactional id it is for whoever may produce at all. Version 6 could ask for two-phase commit
// (KIP-939), which is a right of its own that nothing here gives: the table offers none above version 5.
func init() {
	asks[22] = ask{whole: []about{useTransaction}, special: initProducerID, says: "without a transactional id: produce to any topic"}
}

func initProducerID(q *asking) (Verdict, error) {
	if q.top.text("TransactionalId") == nil {
		if code := q.judge(Question{Kind: 0, AnyTopic: true}); code != 0 {
			return q.all(code)
		}
	}
	return Verdict{Forward: q.body}, nil
}
