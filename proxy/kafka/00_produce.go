package kafka

// keyProduce is the API key of Produce.
const keyProduce = 0

// produceAcks reads how many replicas must acknowledge, which stands before the records: with 0 the broker never
// answers. It fails with complete false if more of the request is needed.
func produceAcks(version int16, body []byte) (acks int16, complete bool) {
	r := newParser(body)
	switch { // the transactional id comes first from version 3 on, and is compact from version 9 on; both may be null
	case version >= 9:
		if n := int(r.uvarint()); n > 1 {
			r.next(n - 1)
		}
	case version >= 3:
		if n := int(r.int16()); n > 0 {
			r.next(n)
		}
	}
	acks = r.int16()
	return acks, r.ok
}
