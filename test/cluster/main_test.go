// Package cluster_test holds the gateway to its promises about clusters, on real Apache Kafka: every broker has an
// address of its own and none of the cluster's gets out, brokers come and go, what clients may do passes and what they
// may not is refused as a broker would, logins on both sides are renewed and revoked, and the process can be reloaded
// and stopped under load.
//
// What each client does with each scheme is in test/clients; how single messages of a login are answered, in
// test/behaviour.
package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"time"

	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
	"github.com/asyncgate/asyncgate/test/parts"
)

// shared is the one cluster of this package. Tests that stop its nodes start them again.
var shared = kafkatest.Share(kafkatest.Options{Nodes: 3, Reauth: 4 * time.Second})

func TestMain(m *testing.M) { os.Exit(parts.Main(m)) }

// patience bounds every wait for something that has to happen. A busy machine is slow, not wrong.
const patience = 45 * time.Second

// glance is the time between two looks at a condition.
const glance = 20 * time.Millisecond

// within is a context of the test that ends when patience does.
func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// eventually waits until a condition is nil, and fails the test with its last word if that takes too long.
func eventually(t testing.TB, what string, condition func() error) {
	t.Helper()
	look := time.NewTicker(glance)
	defer look.Stop()
	late := time.After(patience)
	for {
		err := condition()
		if err == nil {
			return
		}
		select {
		case <-look.C:
		case <-late:
			t.Fatalf("%s: not within %v: %v", what, patience, err)
		}
	}
}

// lasts is nil if a condition is for so long, or else what the condition says first.
func lasts(long time.Duration, condition func() error) error {
	look := time.NewTicker(glance)
	defer look.Stop()
	for over := time.After(long); ; {
		if err := condition(); err != nil {
			return err
		}
		select {
		case <-look.C:
		case <-over:
			return nil
		}
	}
}

// freePorts finds so many free ports of loopback in a row, and returns the first. They are below 32768, where Linux takes
// the ports of outgoing connections from.
func freePorts(t testing.TB, n int) int {
	t.Helper()
	for range 100 {
		first := 20000 + rand.IntN(12000)
		if free(first, n) {
			return first
		}
	}
	t.Fatalf("no %d free ports in a row", n)
	return 0
}

func free(first, n int) bool {
	for port := first; port < first+n; port++ {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return false
		}
		l.Close()
	}
	return true
}

// numbered are n distinct values.
func numbered(prefix string, n int) []string {
	values := make([]string, n)
	for i := range values {
		values[i] = fmt.Sprintf("%s-%d", prefix, i)
	}
	return values
}

// topicOf creates a topic of the test's own, with a partition for every broker at least.
func topicOf(t testing.TB, c *kafkatest.Cluster, name string) string {
	t.Helper()
	topic := fmt.Sprintf("%s-%d", name, time.Now().UnixNano())
	c.CreateTopic(t, topic, 6)
	return topic
}

var errNotYet = errors.New("not yet")
