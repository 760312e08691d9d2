//go:build unix

package proxy_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/asyncgate/asyncgate/proxy"
)

// starvedEnv makes the test binary the process that runs out of file descriptors.
const starvedEnv = "ASYNCGATE_TEST_STARVED"

// TestOutOfFileDescriptors fills a gateway that may have 64 files open, in a process of its own. It must live, not burn a
// core, say once what is wrong, and serve again as soon as there are descriptors.
func TestOutOfFileDescriptors(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), starvedEnv+"=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var addr string
	if _, err := fmt.Fscanln(out, &addr); err != nil {
		t.Fatal(err)
	}
	var clients []*client
	for range 100 {
		conn, err := net.DialTimeout("tcp", addr, patience)
		if err != nil {
			t.Fatal(err)
		}
		clients = append(clients, newClient(t, conn))
	}
	clients[0].want("echo served", "served")
	<-time.After(time.Second) // of back-off, whose cost is read below
	for _, c := range clients[:90] {
		c.Close()
	}
	begun := time.Now()
	clients[99].want("echo served again", "served again")
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("served again after %v", took)
	}
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, log.String())
	}
	if used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(); used > time.Second {
		t.Errorf("used %v of CPU time", used)
	}
	if n := strings.Count(log.String(), "cannot accept connections"); n < 1 || n > 5 {
		t.Errorf("said %d times what is wrong:\n%s", n, log.String())
	}
	if n := strings.Count(log.String(), "limits.connections is more than half of the files"); n != 1 {
		t.Errorf("warned %d times at the start:\n%s", n, log.String())
	}
}

// starved is the process: it serves until its standard input ends.
func starved() int {
	limit := syscall.Rlimit{Cur: 64, Max: 64}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	log := newRecorder()
	p := open()
	p.Admin = ""
	p.Limits.Drain = 0
	g, err := proxy.New(proxy.Config{Plan: p, Log: zap.New(log), Protocols: []proxy.Protocol{&lines{}}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	for len(log.find("msg", "ready")) == 0 {
		<-time.After(time.Millisecond)
	}
	fmt.Fprintln(os.Stdout, log.find("msg", "ready")[0]["servers"].([]any)[0].(map[string]any)["listen"])
	_, _ = os.Stdin.Read(make([]byte, 1))
	stop()
	<-ended
	fmt.Fprint(os.Stderr, log.lines.raw.String())
	return 0
}
