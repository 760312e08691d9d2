package mqttclients_test

import (
	"strings"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/test/clients/drivers"
)

// driverTimeout bounds one job of a driver; its own time-out is 30 s.
const driverTimeout = 60 * time.Second

// driver is one client, run as README.md says, and what it can speak.
type driver struct {
	name      string
	program   *drivers.Program
	versions  string // of "345"
	webSocket bool
	auth      bool // enhanced authentication
}

// clients are the drivers of the matrix.
var clients = []driver{
	{name: "mosquitto", versions: "345",
		program: drivers.New(drivers.Python("run_mosquitto.py", "mosquitto_pub", "mosquitto_sub", "stdbuf"))},
	{name: "paho (Python)", versions: "345", webSocket: true, program: drivers.New(drivers.Python("run_paho.py"))},
	{name: "paho.mqtt.golang", versions: "34", webSocket: true, program: drivers.New(drivers.Go("test", "clients", "mqtt", "paho3"))},
	{name: "paho.golang", versions: "5", webSocket: true, auth: true, program: drivers.New(drivers.Go("test", "clients", "mqtt", "paho5"))},
	{name: "MQTT.js", versions: "345", webSocket: true, auth: true, program: drivers.New(drivers.Node("run_mqttjs.js", "mqtt"))},
}

// speaks reports whether the client can prove itself in this way, in this version.
func (d driver) speaks(s scheme, version string) bool {
	return strings.Contains(d.versions, version) && (s.right["auth"] == "" || d.auth && version == "5") &&
		(!strings.HasPrefix(s.right["url"], "ws") || d.webSocket)
}

func names() []string {
	var all []string
	for _, d := range clients {
		all = append(all, d.name)
	}
	return all
}

// run has the client do a job. The test fails if the driver gives no answer.
func (d driver) run(t testing.TB, job string, arguments map[string]string) drivers.Answer {
	t.Helper()
	return d.program.Run(t, driverTimeout, job, arguments)
}
