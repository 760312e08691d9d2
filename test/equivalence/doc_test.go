// Package equivalence_test holds the gateway's decisions on Kafka to those of Apache Kafka's own StandardAuthorizer: the
// same requests, as the same user, go to a broker with access control lists and to a gateway with equivalent rules before
// a listener of the same broker where everything is allowed. What both answer must say the same about every topic, group
// and transactional id: API by API, version by version.
//
// What may differ, and why, is in differences.txt.
package equivalence_test

import (
	"os"
	"testing"
	"time"

	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
	"github.com/asyncgate/asyncgate/test/parts"
)

// brokers are the clusters that the tests share, by version.
var brokers = map[string]*kafkatest.Shared{}

func init() {
	for _, version := range []string{kafkatest.Newest, kafkatest.Oldest} {
		brokers[version] = kafkatest.Share(kafkatest.Options{Version: version, Environment: []string{"KAFKA_PARTITIONS=1"}})
	}
}

func TestMain(m *testing.M) { os.Exit(parts.Main(m)) }

// patience bounds every wait for something that has to happen. A busy machine is slow, not wrong.
const patience = 60 * time.Second
