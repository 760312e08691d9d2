package rig

import (
	"os/exec"
	"runtime"
	"syscall"
)

// endWithParent has Linux kill the process when the calling thread ends. It ties the goroutine to the thread for good.
func endWithParent(command *exec.Cmd) {
	runtime.LockOSThread()
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

// room is what the broker's log needs, in bytes: what is consumed, what is produced, and what is being deleted.
const room = 8 << 30

// inMemory returns a directory in memory with room for the broker's log, or nothing.
func inMemory() string {
	const dir = "/dev/shm"
	var stat syscall.Statfs_t
	if err := syscall.Statfs(dir, &stat); err != nil || int64(stat.Bavail)*stat.Bsize < room {
		return ""
	}
	return dir
}
