package address

// ShareFetch: every version names the new leaders of partitions that have moved, in a field after all records
// (KIP-932).
func init() {
	editors[78] = rewriting{tail: true}
}
