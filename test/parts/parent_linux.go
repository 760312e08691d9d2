package parts

import (
	"os/exec"
	"runtime"
	"syscall"
)

// EndWithParent has Linux kill the process when the calling thread ends. It ties the goroutine to the thread for good.
func EndWithParent(command *exec.Cmd) {
	runtime.LockOSThread()
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
