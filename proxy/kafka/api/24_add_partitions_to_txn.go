package api

import "github.com/asyncgate/asyncgate/policy"

// AddPartitionsToTxn: all partitions are added or none. Where one topic is refused the others are said not to have been
// attempted.
func init() {
	asks[24] = ask{whole: []about{{"V3AndBelowTransactionalId", policy.Transaction, policy.Use}}, items: "V3AndBelowTopics",
		each: topicTo(policy.Produce, "Name"), special: addPartitions, says: "all topics or none"}
}

func addPartitions(q *asking) (Verdict, error) {
	var codes []int16
	denied := false
	q.top.each(q.items, func(it item) {
		codes = append(codes, q.element(it))
		denied = denied || codes[len(codes)-1] != 0
	})
	if !denied {
		return Verdict{Forward: q.body}, nil
	}
	r, at := q.refusals(len(codes)), 0
	q.top.each(q.items, func(it item) {
		if codes[at] == 0 {
			codes[at] = codeOperationNotAttempted
		}
		r.add(at, it, codes[at])
		at++
	})
	if r.b.long {
		return Verdict{}, errLong
	}
	return q.answer(r), nil
}
