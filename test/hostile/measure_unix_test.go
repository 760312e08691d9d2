//go:build unix

package hostile_test

import (
	"syscall"
	"time"
)

// cpuTime is what the process has used of the CPU so far.
func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // fails for no such argument
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
