package rig

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// startTimeout bounds how long a proxy may take until it accepts connections.
const startTimeout = 20 * time.Second

// stopTimeout bounds an orderly end before the process is killed. By then no client is connected any more.
const stopTimeout = 5 * time.Second

// Process is a proxy that runs beside the benchmark. It ends with the benchmark, also if that is killed.
type Process struct {
	Name string

	process *os.Process
	log     string
	ended   chan struct{}
}

// launch starts a program in the background with its output in a file of dir.
func launch(dir, name string, args ...string) (*Process, error) {
	log, err := os.CreateTemp(dir, filepath.Base(name)+"-*.log")
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p := &Process{Name: filepath.Base(name), log: log.Name(), ended: make(chan struct{})}
	command := exec.Command(name, args...)
	command.Stdout, command.Stderr = log, log
	started := make(chan error)
	go func() { // stays on its thread: the process ends with it
		endWithParent(command)
		err := command.Start()
		p.process = command.Process
		started <- err
		if err == nil {
			_ = command.Wait()
			close(p.ended)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// PID is the process id.
func (p *Process) PID() int { return p.process.Pid }

// wait returns when ready does, which is asked again and again.
func (p *Process) wait(ctx context.Context, ready func() bool) error {
	late := time.After(startTimeout)
	for !ready() {
		select {
		case <-p.ended:
			return fmt.Errorf("%s ended at once:\n%s", p.Name, p.Log())
		case <-late:
			return fmt.Errorf("%s is not ready after %v:\n%s", p.Name, startTimeout, p.Log())
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

// Log is the end of what the process printed.
func (p *Process) Log() string {
	log, _ := os.ReadFile(p.log)
	return string(log[max(0, len(log)-4000):])
}

// Stop ends the process.
func (p *Process) Stop() {
	_ = p.process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(stopTimeout):
		_ = p.process.Kill()
		<-p.ended
	}
}

// CPU is the processor time that the process has used since it started, in user and kernel mode; it counts in steps of
// 10 ms.
func (p *Process) CPU() (time.Duration, error) { return processTime(p.PID(), 2) }

// Resident is the memory of the process that is in RAM, in bytes.
func (p *Process) Resident() (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID()))
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(status) {
		if value, found := bytes.CutPrefix(line, []byte("VmRSS:")); found {
			kib, err := strconv.ParseInt(string(bytes.Fields(value)[0]), 10, 64)
			return kib << 10, err
		}
	}
	return 0, errors.New("/proc/PID/status has no VmRSS")
}

// accepts reports whether somebody listens on a loopback address.
func accepts(address string) bool {
	conn, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// freePorts returns the first of n consecutive loopback ports that nobody listens on. They lie below 32768, where Linux
// takes the ports of outgoing connections from.
func freePorts(n int) (int, error) {
	const first, last = 12000, 32000
	step := n + os.Getpid()%7
	for port := first + os.Getpid()*31%(last-first-n); port+n < last; port += step {
		if free(port, n) {
			return port, nil
		}
	}
	return 0, fmt.Errorf("no %d free ports in a row below %d", n, last)
}

func free(port, n int) bool {
	for i := range n {
		listener, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port+i))
		if err != nil {
			return false
		}
		listener.Close()
	}
	return true
}

// run runs a program to its end and returns what it printed; the error has what it complained about.
func run(ctx context.Context, stdin io.Reader, env []string, name string, args ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, name, args...)
	command.Env = append(os.Environ(), env...)
	command.Stdin = stdin
	command.WaitDelay = time.Second
	var said bytes.Buffer
	command.Stderr = &said
	out, err := command.Output()
	if err != nil {
		return out, fmt.Errorf("%s: %w\n%s%s", filepath.Base(name), err, out, said.Bytes())
	}
	return out, nil
}
