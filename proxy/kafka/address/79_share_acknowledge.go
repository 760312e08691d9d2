package address

// ShareAcknowledge: every version names the new leaders of partitions that have moved (KIP-932).
func init() {
	editors[79] = rewriting{edit: nodeEndpoints, sparse: true}
}
