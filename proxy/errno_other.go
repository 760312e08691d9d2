//go:build !unix

package proxy

// disconnected reports whether the peer reset the connection.
func disconnected(error) bool { return false }

// openFiles is how many files the process may have open; 0 if that is not known.
func openFiles() uint64 { return 0 }
