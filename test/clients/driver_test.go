package clients_test

import (
	"slices"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/test/clients/drivers"
)

// driverTimeout bounds one job of a driver, start of its virtual machine included; its own time-out is 60 s. Both are for
// a machine on which six clients, three brokers and other tests share two cores.
const driverTimeout = 2 * time.Minute

// driver is one client, run as README.md says.
type driver struct {
	name    string
	program *drivers.Program
	untold  string // outcome that stands for refused too
}

// clients are the drivers of the matrix.
var clients = []driver{
	{name: "java", program: drivers.New(drivers.Java)},
	{name: "librdkafka", program: drivers.New(drivers.Python("run_librdkafka.py"))},
	{name: "franz-go", program: drivers.New(drivers.Go("test", "clients", "franz"))},
	// It throws away what it has read if the end of the connection follows at once, as it does after a refusal.
	{name: "kafka-python", program: drivers.New(drivers.Python("run_kafka_python.py")), untold: drivers.Disconnected},
	{name: "aiokafka", program: drivers.New(drivers.Python("run_aiokafka.py"))},
	{name: "kafkajs", program: drivers.New(drivers.Node("run_kafkajs.js", "kafkajs"))},
}

// named returns one of the drivers.
func named(name string) driver {
	return clients[slices.IndexFunc(clients, func(d driver) bool { return d.name == name })]
}

// run has the client do a job. The test fails if the driver gives no answer.
func (d driver) run(t testing.TB, job string, arguments map[string]string) drivers.Answer {
	t.Helper()
	return d.program.Run(t, driverTimeout, job, arguments)
}
