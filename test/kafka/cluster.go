// Package kafkatest starts real Apache Kafka for tests: KRaft, on loopback, from the jars that Maven has, with every
// listener and user of examples/kafka.
//
// A cluster starts in 3 to 10 seconds, so the tests of a package share one:
//
//	var cluster = kafkatest.Share(kafkatest.Options{})
//
//	func TestMain(m *testing.M) { os.Exit(parts.Main(m)) }
//
//	func TestSomething(t *testing.T) { c := cluster.Get(t) … }
package kafkatest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/test/parts"
)

// Versions of Apache Kafka that the suite runs against.
const (
	Newest = "4.3.1"
	Oldest = "3.9.2"
)

// Listener names one of the listeners that every node has; examples/kafka/broker.properties describes them.
type Listener string

// The listeners, and what a client must prove on them.
const (
	Plaintext Listener = "PLAIN"  // nothing; everything is allowed there
	SASL      Listener = "SASL"   // PLAIN or SCRAM, in clear
	SASLTLS   Listener = "SASLS"  // the same inside TLS
	MTLS      Listener = "MTLS"   // a client certificate
	OptTLS    Listener = "OPTTLS" // as SASLTLS; a certificate is asked for and may be left out
	Reauth    Listener = "REAUTH" // as SASL; every login ends after Options.Reauth
	Forward   Listener = "FWD"    // nothing; advertised at Options.ForwardPorts
	Bearer    Listener = "BEARER" // OAUTHBEARER with a token of Options.Issuer, in clear; only there if that is set
)

// Password is the password of a user: admin, gateway, alice or bob. The first two may do everything.
func Password(user string) string { return user + "-secret" }

// Options say what cluster to start. The zero value is one node of the newest version on free ports.
type Options struct {
	Nodes        int           // default 1
	Version      string        // default Newest
	Ports        int           // the first port, a node takes ten; default: free ones
	ForwardPorts int           // where the first node's Forward listener is advertised; default: where it is
	Reauth       time.Duration // how long a login on the Reauth listener lasts; default 3 s
	FailureDelay time.Duration // before a refused login is answered; default none
	Heap         string        // of each JVM, e.g. "512m"; default 384m
	Open         bool          // authenticated clients may do everything that no ACL speaks of
	Issuer       *Issuer       // whose tokens the Bearer listener takes; nil: there is none
	Environment  []string      // more for test/kafka/up.sh, as NAME=value
}

// Cluster is a running cluster.
type Cluster struct {
	Version      string `json:"version"`
	Directory    string `json:"directory"`    // data and logs, gone when the cluster is
	Certificates string `json:"certificates"` // what examples/kafka/certificates.sh made
	Libraries    string `json:"libraries"`    // the jars, command line tools included
	Nodes        []Node `json:"nodes"`
}

// Node is one broker of a cluster.
type Node struct {
	ID        int                 `json:"id"`
	Log       string              `json:"log"`
	Listeners map[Listener]string `json:"listeners"` // host:port
}

// startTimeout bounds a start without the fetching of jars; three nodes take some 10 s on two busy cores.
const startTimeout = 2 * time.Minute

// toolTimeout bounds one run of a command line tool.
const toolTimeout = time.Minute

// Start starts a cluster for one test and stops it with the test. Without Java the test is skipped, see
// [parts.Absent].
func Start(t testing.TB, o Options) *Cluster {
	t.Helper()
	c := start(t, o)
	t.Cleanup(c.stop)
	return c
}

// Shared is a cluster that the tests of a package share. It starts with the first test that asks for it.
type Shared struct {
	options Options
	once    sync.Once
	cluster *Cluster
}

// Share declares a shared cluster. The package's TestMain must call [parts.Main].
func Share(o Options) *Shared { return &Shared{options: o} }

// Get returns the cluster. Tests that damage it should start their own.
func (s *Shared) Get(t testing.TB) *Cluster {
	t.Helper()
	need(t) // also says so in every test but the first
	s.once.Do(func() {
		s.cluster = start(t, s.options)
		parts.AtExit(s.cluster.stop)
	})
	if s.cluster == nil {
		parts.Absent(t, "the cluster that this package's tests share did not start")
	}
	return s.cluster
}

func need(t testing.TB) {
	t.Helper()
	parts.Need(t, "bash", "openssl", "java")
}

// Jars returns the directory with the jars of a version, fetched if need be: for the Java tools.
func Jars(t testing.TB, version string) string {
	t.Helper()
	if _, err := os.Stat(filepath.Join(parts.Cache(t), "kafka-"+version)); err != nil {
		parts.Need(t, "mvn")
	}
	command := exec.Command("bash", parts.Path(t, "test", "kafka", "jars.sh"), version)
	var said bytes.Buffer
	command.Stderr = &said
	out, err := command.Output()
	if err != nil {
		parts.Absent(t, "cannot fetch Apache Kafka %s with Maven: %v\n%s", version, err, parts.Lines(said.Bytes(), 10))
	}
	return strings.TrimSpace(string(out))
}

func start(t testing.TB, o Options) *Cluster {
	t.Helper()
	need(t)
	if o.Version == "" {
		o.Version = Newest
	}
	Jars(t, o.Version) // on its own time
	dir, err := os.MkdirTemp("", "asyncgate-kafka-")
	if err != nil {
		t.Fatal(err)
	}
	environment := o.environment()
	if o.Issuer != nil {
		if err := os.WriteFile(dir+moreProperties, []byte(o.Issuer.properties()), 0o600); err != nil {
			t.Fatal(err)
		}
		environment = append(environment, o.Issuer.environment(dir+moreProperties)...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	command := exec.CommandContext(ctx, "bash", parts.Path(t, "test", "kafka", "up.sh"), dir)
	command.Env = append(os.Environ(), environment...)
	command.WaitDelay = time.Second
	var said bytes.Buffer
	command.Stderr = &said
	out, err := command.Output()
	c := &Cluster{Directory: dir}
	if err == nil {
		err = json.Unmarshal(out, c)
	}
	if err != nil {
		c.stop()
		t.Fatalf("Apache Kafka %s did not start: %v\n%s", o.Version, err, parts.Lines(said.Bytes(), 40))
	}
	return c
}

// environment spells the options as test/kafka/up.sh reads them.
func (o Options) environment() []string {
	env := []string{
		"KAFKA_PARENT=" + strconv.Itoa(os.Getpid()),
		"KAFKA_VERSION=" + o.Version,
		"KAFKA_NODES=" + strconv.Itoa(max(o.Nodes, 1)),
		"KAFKA_FAILURE_DELAY_MS=" + strconv.FormatInt(o.FailureDelay.Milliseconds(), 10),
		"KAFKA_OPEN=" + strconv.FormatBool(o.Open),
		"KAFKA_HEAP=384m",
	}
	if o.Heap != "" {
		env = append(env, "KAFKA_HEAP="+o.Heap)
	}
	if o.Ports != 0 {
		env = append(env, "KAFKA_PORTS="+strconv.Itoa(o.Ports))
	}
	if o.ForwardPorts != 0 {
		env = append(env, "KAFKA_FORWARD_PORTS="+strconv.Itoa(o.ForwardPorts))
	}
	if o.Reauth != 0 {
		env = append(env, "KAFKA_REAUTH_MS="+strconv.FormatInt(o.Reauth.Milliseconds(), 10))
	}
	return append(env, o.Environment...)
}

// stop takes the cluster down and deletes its directory.
func (c *Cluster) stop() {
	if root, err := parts.Root(); err == nil {
		_ = exec.Command("bash", filepath.Join(root, "test", "kafka", "down.sh"), c.Directory).Run()
	}
	_ = os.RemoveAll(c.Directory)
	_ = os.Remove(c.Directory + moreProperties)
}

// Addresses returns where every node's listener is, as host:port.
func (c *Cluster) Addresses(l Listener) []string {
	var all []string
	for _, n := range c.Nodes {
		all = append(all, n.Listeners[l])
	}
	return all
}

// Bootstrap is Addresses as the bootstrap.servers of a client.
func (c *Cluster) Bootstrap(l Listener) string { return strings.Join(c.Addresses(l), ",") }

// Certificate is the path of a certificate or key that examples/kafka/certificates.sh made, e.g. "ca.crt".
func (c *Cluster) Certificate(file string) string { return filepath.Join(c.Certificates, file) }

// Stop stops a node as an operator would: its leaders and coordinators move to other nodes first.
func (c *Cluster) Stop(t testing.TB, id int) { t.Helper(); c.node(t, "stop", id) }

// Kill ends a node at once, as a power failure would.
func (c *Cluster) Kill(t testing.TB, id int) { t.Helper(); c.node(t, "kill", id) }

// Restart starts a stopped node again, on its ports and with its data, and waits until it is ready.
func (c *Cluster) Restart(t testing.TB, id int) {
	t.Helper()
	c.node(t, "start", id)
	c.node(t, "wait", id)
}

func (c *Cluster) node(t testing.TB, order string, id int) {
	t.Helper()
	script := parts.Path(t, "test", "kafka", "node.sh")
	if out, err := exec.Command("bash", script, order, c.Directory, strconv.Itoa(id)).CombinedOutput(); err != nil {
		t.Fatalf("Kafka node %d: %s: %v\n%s", id, order, err, out)
	}
}

// Tool runs one of Kafka's command line tools, given by its class, and returns what it printed. The test fails with
// it.
func (c *Cluster) Tool(t testing.TB, class string, args ...string) string {
	t.Helper()
	return c.ToolWithInput(t, "", class, args...)
}

// ToolWithInput is Tool with something to read on standard input.
func (c *Cluster) ToolWithInput(t testing.TB, stdin, class string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), toolTimeout)
	defer cancel()
	var out, said bytes.Buffer
	command := exec.CommandContext(ctx, "java", append(JavaFlags(c.Libraries), append([]string{class}, args...)...)...)
	command.Stdin, command.Stdout, command.Stderr = strings.NewReader(stdin), &out, &said
	if err := command.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s%s", class, strings.Join(args, " "), err, out.Bytes(), parts.Lines(said.Bytes(), 20))
	}
	return out.String()
}

// JavaFlags are the flags with which a tool among the jars in a directory starts quickest.
func JavaFlags(libraries string) []string {
	return []string{"-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", filepath.Join(libraries, "*")}
}

// String names the cluster in test names and tables.
func (c *Cluster) String() string { return fmt.Sprintf("kafka %s × %d", c.Version, len(c.Nodes)) }
