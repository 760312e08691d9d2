package mqttclients_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/test/parts"
)

// driverTimeout bounds one run of a driver; its own time-out is 30 s.
const driverTimeout = 60 * time.Second

// driver is one client, run as README.md says, and what it can speak.
type driver struct {
	name      string
	command   func(testing.TB) []string
	versions  string // of "345"
	webSocket bool
	auth      bool // enhanced authentication
}

// drivers are the clients of the matrix.
var drivers = []driver{
	{name: "mosquitto", versions: "345", command: func(t testing.TB) []string {
		parts.Need(t, "mosquitto_pub", "mosquitto_sub", "stdbuf")
		return python("run_mosquitto.py")(t)
	}},
	{name: "paho (Python)", versions: "345", webSocket: true, command: python("run_paho.py")},
	{name: "paho.mqtt.golang", versions: "34", webSocket: true, command: built("./paho3")},
	{name: "paho.golang", versions: "5", webSocket: true, auth: true, command: built("./paho5")},
	{name: "MQTT.js", versions: "345", webSocket: true, auth: true, command: func(t testing.TB) []string {
		parts.Need(t, "node")
		installed(t, "node", "node_modules", "mqtt")
		return []string{"node", parts.Path(t, "test", "clients", "node", "run_mqttjs.js")}
	}},
}

// speaks reports whether the client can prove itself in this way, in this version.
func (d driver) speaks(s scheme, version string) bool {
	return strings.Contains(d.versions, version) && (s.right["auth"] == "" || d.auth && version == "5") &&
		(!strings.HasPrefix(s.right["url"], "ws") || d.webSocket)
}

func names() []string {
	var all []string
	for _, d := range drivers {
		all = append(all, d.name)
	}
	return all
}

func python(script string) func(testing.TB) []string {
	return func(t testing.TB) []string {
		return []string{installed(t, "venv", "bin", "python"), parts.Path(t, "test", "clients", "python", script)}
	}
}

// installed is the path of something that test/clients/install.sh put into the cache.
func installed(t testing.TB, elem ...string) string {
	t.Helper()
	parts.Need(t)
	path := filepath.Join(append([]string{parts.Cache(t)}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		parts.Absent(t, "needs test/clients/install.sh to have run: %v", err)
	}
	return path
}

// built builds a driver in Go once.
func built(pkg string) func(testing.TB) []string {
	build := sync.OnceValues(func() (string, error) {
		dir, err := os.MkdirTemp("", "asyncgate-driver-")
		if err != nil {
			return "", err
		}
		parts.AtExit(func() { _ = os.RemoveAll(dir) })
		path := filepath.Join(dir, "driver")
		out, err := exec.Command("go", "build", "-o", path, pkg).CombinedOutput()
		return path + string(out), err
	})
	return func(t testing.TB) []string {
		t.Helper()
		path, err := build()
		if err != nil {
			t.Fatalf("go build %s: %v\n%s", pkg, err, path)
		}
		return []string{path}
	}
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
	args := append(slices.Clone(d.command(t)), job)
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
