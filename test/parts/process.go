package parts

import (
	"os"
	"os/exec"
)

// StartTied starts a program that ends with the tests, also if those are killed (on Linux). ended is closed when the
// program has ended.
func StartTied(command *exec.Cmd, ended chan<- struct{}) (*os.Process, error) {
	started := make(chan error)
	go func() { // stays on its thread: Linux ends the process with the thread that made it
		EndWithParent(command)
		err := command.Start()
		started <- err
		if err == nil {
			_ = command.Wait()
			close(ended)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return command.Process, nil
}
