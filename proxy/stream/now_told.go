//go:build unix && (!linux || race)

package stream

import "syscall"

// The race detector knows by these calls that what was written before it was read: so it gets them on Linux too.

func readNow(fd uintptr, p []byte) (int, error) { return syscall.Read(int(fd), p) }

func writeNow(fd uintptr, p []byte) (int, error) { return syscall.Write(int(fd), p) }
