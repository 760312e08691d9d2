package address

// DescribeCluster: every version lists the brokers, as Metadata does (KIP-700). The controller is an id, and stays.
func init() {
	editors[60] = rewriting{edit: brokers}
}
