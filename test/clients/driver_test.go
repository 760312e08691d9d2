package clients_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
	"github.com/asyncgate/asyncgate/test/parts"
)

// driverTimeout bounds one run of a driver, start of its virtual machine included; its own time-out is 60 s. Both are for
// a machine on which six clients, three brokers and other tests share two cores.
const driverTimeout = 2 * time.Minute

// driver is one client, run as README.md says.
type driver struct {
	name    string
	command func(testing.TB) []string
	untold  string // outcome that stands for refused too
}

// drivers are the clients of the matrix.
var drivers = []driver{
	{name: "java", command: func(t testing.TB) []string {
		parts.Need(t, "java")
		classes := installed(t, "java", "Client.class")
		jars := filepath.Join(kafkatest.Jars(t, kafkatest.Newest), "*")
		return []string{"java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Dlog4j2.level=OFF",
			"-cp", filepath.Dir(classes) + string(os.PathListSeparator) + jars, "Client"}
	}},
	{name: "librdkafka", command: python("run_librdkafka.py")},
	{name: "franz-go", command: func(t testing.TB) []string { return []string{franz(t)} }},
	// It throws away what it has read if the end of the connection follows at once, as it does after a refusal.
	{name: "kafka-python", command: python("run_kafka_python.py"), untold: disconnected},
	{name: "aiokafka", command: python("run_aiokafka.py")},
	{name: "kafkajs", command: func(t testing.TB) []string {
		parts.Need(t, "node")
		installed(t, "node", "node_modules", "kafkajs")
		return []string{"node", parts.Path(t, "test", "clients", "node", "run_kafkajs.js")}
	}},
}

// named returns one of the drivers.
func named(name string) driver {
	return drivers[slices.IndexFunc(drivers, func(d driver) bool { return d.name == name })]
}

func python(script string) func(testing.TB) []string {
	return func(t testing.TB) []string {
		return []string{installed(t, "venv", "bin", "python"), parts.Path(t, "test", "clients", "python", script)}
	}
}

// installed is the path of something that install.sh put into the cache.
func installed(t testing.TB, elem ...string) string {
	t.Helper()
	parts.Need(t)
	path := filepath.Join(append([]string{parts.Cache(t)}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		parts.Absent(t, "needs test/clients/install.sh to have run: %v", err)
	}
	return path
}

var franzBinary struct {
	once sync.Once
	path string
	out  []byte
	err  error
}

// franz builds the driver of franz-go once.
func franz(t testing.TB) string {
	t.Helper()
	b := &franzBinary
	b.once.Do(func() {
		var dir string
		if dir, b.err = os.MkdirTemp("", "asyncgate-franz-"); b.err != nil {
			return
		}
		parts.AtExit(func() { _ = os.RemoveAll(dir) })
		b.path = filepath.Join(dir, "franz")
		b.out, b.err = exec.Command("go", "build", "-o", b.path, "./franz").CombinedOutput()
	})
	if b.err != nil {
		t.Fatalf("go build ./franz: %v\n%s", b.err, b.out)
	}
	return b.path
}

// Outcomes of a driver.
const (
	accepted     = "accepted"
	refused      = "refused"
	disconnected = "disconnected"
)

// answer is a driver's one line.
type answer struct {
	Client  string `json:"client"`
	Outcome string `json:"outcome"`
	Error   string `json:"error"`
	Message string `json:"message"`
	Records int    `json:"records"`
}

// run has the client do a job. The test fails if the driver gives no answer.
func (d driver) run(t testing.TB, job string, arguments map[string]string) answer {
	t.Helper()
	args := append(d.command(t), job)
	for name, value := range arguments {
		args = append(args, name+"="+value)
	}
	ctx, cancel := context.WithTimeout(t.Context(), driverTimeout)
	defer cancel()
	command := exec.CommandContext(ctx, args[0], args[1:]...)
	command.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(parts.Cache(t), "node", "node_modules"))
	command.WaitDelay = time.Second
	var said bytes.Buffer
	command.Stderr = &said
	out, err := command.Output()
	var a answer
	if err == nil {
		err = json.Unmarshal(out, &a)
	}
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", d.name, job, err, out, parts.Lines(said.Bytes(), 20))
	}
	return a
}
