// Package hivemqtest starts HiveMQ Community Edition for tests, as a second opinion on MQTT 5: on loopback, from the jars
// that Maven has. There is nothing to prove on it, and nothing of it outlives the test.
//
// The package's TestMain hands over to [parts.Main].
package hivemqtest

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/test/parts"
)

// startTimeout bounds a start; on two idle cores it takes some 2 s.
const startTimeout = time.Minute

// configuration is HiveMQ's, to be completed with a port. It keeps nothing on disk, and bounds packets as the gateway does
// by default (limits.frame), so that both say the same.
const configuration = `<?xml version="1.0"?>
<hivemq>
  <listeners><tcp-listener><port>%d</port><bind-address>127.0.0.1</bind-address></tcp-listener></listeners>
  <mqtt><packets><max-packet-size>104857600</max-packet-size></packets></mqtt>
  <persistence><mode>in-memory</mode></persistence>
  <anonymous-usage-statistics><enabled>false</enabled></anonymous-usage-statistics>
</hivemq>
`

// Broker is a running broker.
type Broker struct {
	Address string // host:port, in clear

	process *os.Process
	ended   chan struct{}
	log     string
}

// Start starts a broker on a free port and stops it with the test. Without Java, or what test/hivemq/install.sh brings,
// the test is skipped, see [parts.Absent].
func Start(t testing.TB) *Broker {
	t.Helper()
	parts.Need(t, "java")
	installed := filepath.Join(parts.Cache(t), "hivemq")
	if _, err := os.Stat(filepath.Join(installed, "made-from")); err != nil {
		parts.Absent(t, "needs test/hivemq/install.sh to have run: %v", err)
	}
	dir, err := os.MkdirTemp("", "asyncgate-hivemq-")
	if err != nil {
		t.Fatal(err)
	}
	b := &Broker{log: filepath.Join(dir, "log")}
	t.Cleanup(func() {
		if b.process != nil {
			_ = b.process.Kill()
			<-b.ended
		}
		if t.Failed() {
			t.Logf("HiveMQ's log:\n%s", b.Log(40))
		}
		_ = os.RemoveAll(dir)
	})
	if err := b.launch(installed, dir); err != nil {
		t.Fatalf("HiveMQ did not start: %v\n%s", err, b.Log(40))
	}
	return b
}

func (b *Broker) launch(installed, dir string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	b.Address = fmt.Sprintf("127.0.0.1:%d", port)
	if err := os.MkdirAll(filepath.Join(dir, "conf"), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "conf", "config.xml"), fmt.Appendf(nil, configuration, port), 0o600); err != nil {
		return err
	}
	log, err := os.Create(b.log)
	if err != nil {
		return err
	}
	defer log.Close()
	classes := strings.Join([]string{filepath.Join(installed, "classes"), filepath.Join(installed, "jars", "*")}, string(os.PathListSeparator))
	command := exec.Command("java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"--add-opens", "java.base/java.lang=ALL-UNNAMED", "--add-opens", "java.base/java.nio=ALL-UNNAMED",
		"--add-opens", "java.base/sun.nio.ch=ALL-UNNAMED", "--add-opens", "jdk.management/com.sun.management.internal=ALL-UNNAMED",
		"-cp", classes, "Main", dir)
	command.Stdout, command.Stderr = log, log
	b.ended = make(chan struct{})
	if b.process, err = parts.StartTied(command, b.ended); err != nil {
		return err
	}
	late := time.After(startTimeout)
	for !bytes.Contains(b.read(), []byte("\nready\n")) {
		select {
		case <-b.ended:
			return fmt.Errorf("it ended at once")
		case <-late:
			return fmt.Errorf("not ready after %v", startTimeout)
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}

func (b *Broker) read() []byte {
	log, _ := os.ReadFile(b.log)
	return log
}

// Log is the end of the broker's log, so many lines.
func (b *Broker) Log(lines int) string { return parts.Lines(b.read(), lines) }
