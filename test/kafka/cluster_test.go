package kafkatest_test

import (
	"crypto/tls"
	"net"
	"os"
	"strings"
	"testing"

	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
	"github.com/asyncgate/asyncgate/test/parts"
)

var cluster = kafkatest.Share(kafkatest.Options{})

func TestMain(m *testing.M) { os.Exit(parts.Main(m)) }

func TestEveryListenerAcceptsConnections(t *testing.T) {
	c := cluster.Get(t)
	for listener, address := range c.Nodes[0].Listeners {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Errorf("%s: %v", listener, err)
			continue
		}
		conn.Close()
	}
}

func TestTheBrokersCertificateCoversItsAddress(t *testing.T) {
	c := cluster.Get(t)
	for _, listener := range []kafkatest.Listener{kafkatest.SASLTLS, kafkatest.OptTLS} {
		conn, err := tls.Dial("tcp", c.Addresses(listener)[0], c.TLS(t, ""))
		if err != nil {
			t.Errorf("%s: %v", listener, err)
			continue
		}
		conn.Close()
	}
}

func TestToolsReachTheCluster(t *testing.T) {
	c := cluster.Get(t)
	bootstrap := c.Bootstrap(kafkatest.Plaintext)
	c.CreateTopic(t, "seen", 2)
	if got := c.Tool(t, "org.apache.kafka.tools.TopicCommand", "--bootstrap-server", bootstrap, "--list"); strings.TrimSpace(got) != "seen" {
		t.Errorf("topics: %q, want seen", got)
	}
}

func TestANodeComesBackAtItsAddress(t *testing.T) {
	c := kafkatest.Start(t, kafkatest.Options{Version: kafkatest.Oldest})
	address := c.Addresses(kafkatest.Plaintext)[0]
	c.Kill(t, 1)
	if conn, err := net.Dial("tcp", address); err == nil {
		conn.Close()
		t.Fatal("the killed node accepts connections")
	}
	c.Restart(t, 1)
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}
