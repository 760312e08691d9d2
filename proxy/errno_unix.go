//go:build unix

package proxy

import (
	"errors"
	"syscall"
)

// disconnected reports whether the peer reset the connection.
func disconnected(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// openFiles is how many files the process may have open; 0 if that is not known.
func openFiles() uint64 {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return 0
	}
	return uint64(limit.Cur) //nolint:unconvert // int64 on some systems
}
