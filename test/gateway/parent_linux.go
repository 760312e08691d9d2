package gatewaytest

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
