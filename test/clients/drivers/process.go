package drivers

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/test/parts"
)

// process is a running driver. It ends with its standard input, so it does not outlive tests that are killed.
type process struct {
	command *exec.Cmd
	stdin   io.WriteCloser
	lines   chan string // its answers; closed when it has ended
	said    bytes.Buffer
}

// endTimeout bounds the end of a process that was killed: what it started itself may hold its output open.
const endTimeout = time.Second

func start(t testing.TB, args []string) (*process, error) {
	t.Helper()
	c := &process{command: exec.Command(args[0], args[1:]...), lines: make(chan string, 1)}
	c.command.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(parts.Cache(t), "node", "node_modules"))
	c.command.WaitDelay = endTimeout
	c.command.Stderr = &c.said
	var err error
	if c.stdin, err = c.command.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := c.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.command.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(c.lines)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			c.lines <- lines.Text()
		}
	}()
	return c, nil
}

// alive reports whether the process may be asked: it has not ended, and has said nothing since its answer.
func (c *process) alive() bool {
	select {
	case <-c.lines:
		return false
	default:
		return true
	}
}

// errEnded says that the process ended without an answer.
var errEnded = errors.New("the driver ended without an answer")

// ask has the process do a job. The error is errEnded if there is no process any more.
func (c *process) ask(ctx context.Context, line string, within time.Duration) (string, error) {
	if _, err := io.WriteString(c.stdin, line+"\n"); err != nil {
		return "", fmt.Errorf("%w: %w", errEnded, err)
	}
	late := time.NewTimer(within)
	defer late.Stop()
	select {
	case answer, ok := <-c.lines:
		if !ok {
			return "", errEnded
		}
		return answer, nil
	case <-late.C:
		return "", fmt.Errorf("no answer after %v", within)
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// end kills the process and returns what it wrote to standard error.
func (c *process) end() []byte {
	_ = c.command.Process.Kill()
	_ = c.stdin.Close()
	_ = c.command.Wait()
	return c.said.Bytes()
}
