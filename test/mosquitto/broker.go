// Package mosquittotest starts Eclipse Mosquitto for tests: on loopback, from the Debian package, with the listeners and
// users of examples/mosquitto.
//
// A broker starts in a tenth of a second, so a test may have one of its own. The package's TestMain hands over to
// [parts.Main].
package mosquittotest

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/test/parts"
)

// Listener names one of the listeners that examples/mosquitto/mosquitto.conf describes.
type Listener int

// The listeners, in the order of the file, and what a client must prove on them.
const (
	Password  Listener = iota // a user and a password, in clear
	TLS                       // the same inside TLS
	MTLS                      // a client certificate
	WebSocket                 // a user and a password over WebSocket
	Secure                    // the same inside TLS
	Open                      // nothing
	listeners
)

// PasswordOf is the password of a user: gateway, alice, bob or admin.
func PasswordOf(user string) string { return user + "-secret" }

// startTimeout bounds a start, on a machine that is busy with other things.
const startTimeout = 60 * time.Second

// Options say what broker to start.
type Options struct {
	Settings []string // more lines for the global part of mosquitto.conf
}

// Broker is a running broker.
type Broker struct {
	Dir string // data, configuration and certificates

	options Options
	ports   [listeners]int
	log     string

	process *os.Process
	ended   chan struct{} // closed when the process has ended
}

var certificates struct {
	once sync.Once
	dir  string
	err  error
}

// Certificates is the directory that examples/kafka/certificates.sh filled, once for the package under test.
func Certificates(t testing.TB) string {
	t.Helper()
	parts.Need(t, "sh", "openssl")
	c := &certificates
	script := parts.Path(t, "examples", "kafka", "certificates.sh")
	c.once.Do(func() {
		if c.dir, c.err = os.MkdirTemp("", "asyncgate-certificates-"); c.err != nil {
			return
		}
		parts.AtExit(func() { _ = os.RemoveAll(c.dir) })
		if out, err := exec.Command("sh", script, c.dir).CombinedOutput(); err != nil {
			c.err = fmt.Errorf("certificates.sh: %w\n%s", err, out)
		}
	})
	if c.err != nil {
		t.Fatal(c.err)
	}
	return c.dir
}

// Start starts a broker on free ports and stops it with the test. Without Mosquitto the test is skipped, see
// [parts.Absent].
func Start(t testing.TB, o Options) *Broker {
	t.Helper()
	parts.Need(t, "bash", "openssl")
	if _, err := os.Stat("/usr/sbin/mosquitto"); err != nil { // not on everybody's PATH
		parts.Need(t, "mosquitto")
	}
	Certificates(t)
	dir, err := os.MkdirTemp("", "asyncgate-mosquitto-")
	if err != nil {
		t.Fatal(err)
	}
	b := &Broker{Dir: dir, options: o, log: filepath.Join(dir, "log")}
	t.Cleanup(func() {
		b.end(os.Kill)
		if t.Failed() {
			t.Logf("Mosquitto's log:\n%s", b.Log(100))
		}
		_ = os.RemoveAll(dir)
	})
	// Between choosing ports and binding them somebody else may take one: then others are tried.
	for try := 1; ; try++ {
		b.choosePorts(t)
		err := b.launch(t)
		if err == nil {
			return b
		}
		b.end(os.Kill)
		if try == 3 || !strings.Contains(b.Log(100), "Address already in use") {
			t.Fatalf("Mosquitto did not start: %v\n%s", err, b.Log(40))
		}
	}
}

func (b *Broker) choosePorts(t testing.TB) {
	t.Helper()
	for i := range b.ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		b.ports[i] = l.Addr().(*net.TCPAddr).Port
	}
}

// launch starts the process and waits until all listeners accept.
func (b *Broker) launch(t testing.TB) error {
	t.Helper()
	command := exec.Command("bash", parts.Path(t, "test", "mosquitto", "up.sh"), b.Dir)
	command.Env = append(os.Environ(),
		"MOSQUITTO_CERTIFICATES="+Certificates(t),
		"MOSQUITTO_PORTS="+strings.Trim(fmt.Sprint(b.ports), "[]"),
		"MOSQUITTO_SETTINGS="+strings.Join(b.options.Settings, "\n"))
	log, err := os.OpenFile(b.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	command.Stdout, command.Stderr = log, log
	b.ended = make(chan struct{})
	if b.process, err = parts.StartTied(command, b.ended); err != nil {
		return err
	}
	late := time.After(startTimeout)
	for !b.accepts() {
		select {
		case <-b.ended:
			return fmt.Errorf("it ended at once")
		case <-late:
			return fmt.Errorf("not every port accepts after %v", startTimeout)
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

func (b *Broker) accepts() bool {
	for l := range listeners {
		c, err := net.Dial("tcp", b.Address(l))
		if err != nil {
			return false
		}
		_ = c.Close()
	}
	return true
}

// Address is where a listener is, as host:port.
func (b *Broker) Address(l Listener) string { return fmt.Sprintf("127.0.0.1:%d", b.ports[l]) }

// PID is the process id of the broker.
func (b *Broker) PID() int { return b.process.Pid }

// Stop ends the broker as an operator would: it saves its sessions and messages.
func (b *Broker) Stop(t testing.TB) { t.Helper(); b.end(syscall.SIGTERM) }

// Kill ends the broker at once, as a power failure would: what it had not saved is gone.
func (b *Broker) Kill(t testing.TB) { t.Helper(); b.end(os.Kill) }

func (b *Broker) end(signal os.Signal) {
	if b.process == nil {
		return
	}
	_ = b.process.Signal(signal)
	select {
	case <-b.ended:
	case <-time.After(startTimeout):
		_ = b.process.Kill()
		<-b.ended
	}
}

// Restart starts a stopped broker again, on its ports and with its data.
func (b *Broker) Restart(t testing.TB) {
	t.Helper()
	if err := b.launch(t); err != nil {
		t.Fatalf("Mosquitto did not start again: %v\n%s", err, b.Log(40))
	}
}

// Certificate is the path of a certificate or key that examples/kafka/certificates.sh made, e.g. "ca.crt".
func (b *Broker) Certificate(t testing.TB, file string) string {
	t.Helper()
	return filepath.Join(Certificates(t), file)
}

// ClientTLS is a client's side of TLS, with the certificate of that name, or none.
func ClientTLS(t testing.TB, certificate string) *tls.Config {
	t.Helper()
	dir := Certificates(t)
	ca, err := os.ReadFile(filepath.Join(dir, "ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: "localhost", RootCAs: x509.NewCertPool()}
	config.RootCAs.AppendCertsFromPEM(ca)
	if certificate != "" {
		pair, err := tls.LoadX509KeyPair(filepath.Join(dir, certificate+".crt"), filepath.Join(dir, certificate+".key"))
		if err != nil {
			t.Fatal(err)
		}
		// Always this one: by default a client shows none that the server's list of authorities rules out.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	}
	return config
}

// Log is the end of the broker's log, so many lines.
func (b *Broker) Log(lines int) string {
	log, _ := os.ReadFile(b.log)
	return parts.Lines(bytes.TrimSpace(log), lines)
}
