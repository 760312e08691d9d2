package stream

import (
	"syscall"
	"unsafe"
)

// readNow reads what a descriptor that does not block has, and writeNow writes what it takes.
//
// They are raw system calls: nothing tells Go's scheduler, which need not know of a call that does not wait. Told of one
// after an idle moment, it wakes its monitor thread to watch it, and that looks around every 20 µs for a millisecond: a
// gateway is idle before nearly every small request, and spent more on being watched than on the request.
func readNow(fd uintptr, p []byte) (int, error) { return callNow(syscall.SYS_READ, fd, p) }

func writeNow(fd uintptr, p []byte) (int, error) { return callNow(syscall.SYS_WRITE, fd, p) }

func callNow(call, fd uintptr, p []byte) (int, error) {
	// #nosec G103 -- what package syscall does itself in Read and Write
	n, _, errno := syscall.RawSyscall(call, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
