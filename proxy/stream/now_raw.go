//go:build linux && !race

package stream

import (
	"syscall"
	"unsafe"
)

// atOnce bounds one raw call, in bytes: while it copies, nothing can take its processor away.
const atOnce = 256 << 10

// readNow reads what a descriptor that does not block has, and writeNow writes what it takes, atOnce at most.
//
// They are raw system calls: Go's scheduler is not told, and need not be of a call that does not wait. Told of one after
// an idle moment, it wakes its monitor thread to watch it, and that looks around every 20 µs for a millisecond. A gateway
// is idle before nearly every small request, and being watched cost it more than the request.
func readNow(fd uintptr, p []byte) (int, error) { return callNow(syscall.SYS_READ, fd, p) }

func writeNow(fd uintptr, p []byte) (int, error) { return callNow(syscall.SYS_WRITE, fd, p) }

func callNow(call, fd uintptr, p []byte) (int, error) {
	// #nosec G103 -- what package syscall does itself in Read and Write
	n, _, errno := syscall.RawSyscall(call, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(min(len(p), atOnce)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
