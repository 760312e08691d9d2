// Package operations_test has clients do what documents allow and what they do not, through the gateway in front of real
// brokers: the AsyncAPI specification's own examples, unedited, with operations enforced. What has to come out is in
// testdata/examples.yml, and so are the tables of docs/examples.md.
package operations_test

import (
	"flag"
	"os"
	"testing"
	"time"

	_ "github.com/asyncgate/asyncgate/internal/cases" // its flag -update
	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
	"github.com/asyncgate/asyncgate/test/parts"
)

var shared = kafkatest.Share(kafkatest.Options{Environment: []string{"KAFKA_PARTITIONS=1"}})

func TestMain(m *testing.M) { os.Exit(parts.Main(m)) }

// patience bounds every wait for something that has to happen. A busy machine is slow, not wrong.
const patience = 60 * time.Second

// update says that the page is to be written anew: the flag of internal/cases.
func update() bool { return flag.Lookup("update").Value.String() == "true" }
