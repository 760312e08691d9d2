package hostile_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/asyncgate/asyncgate/test/inprocess"
	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
	"github.com/asyncgate/asyncgate/test/parts"
)

// K13: no byte that a client receives names a broker's own address.

var cluster = kafkatest.Share(kafkatest.Options{Nodes: 3, Open: true})

func TestMain(m *testing.M) { os.Exit(parts.Main(m)) }

func TestNoUpstreamAddressReachesAClientOfAnEmbeddedCluster(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.SeedTopics(6, "orders"), kfake.ListenFn(listenAsLocalhost))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	scan(t, fake.ListenAddrs(), false)
}

func TestNoUpstreamAddressReachesAClientOfARealCluster(t *testing.T) {
	c := cluster.Get(t)
	c.CreateTopic(t, "orders", 6)
	scan(t, c.Addresses(kafkatest.Plaintext), true)
}

// listenAsLocalhost makes brokers that call themselves localhost, which the gateway never does.
func listenAsLocalhost(network, address string) (net.Listener, error) {
	l, err := net.Listen(network, address)
	if err != nil {
		return nil, err
	}
	return named{l}, nil
}

type named struct{ net.Listener }

func (n named) Addr() net.Addr {
	return localhost{"localhost:" + strconv.Itoa(n.Listener.Addr().(*net.TCPAddr).Port)}
}

type localhost struct{ address string }

func (localhost) Network() string  { return "tcp" }
func (l localhost) String() string { return l.address }

// scan has a client work through the gateway and looks for the brokers' addresses in all that it received.
func scan(t *testing.T, brokers []string, strict bool) {
	p := inprocess.Plan(inprocess.PlanOptions{Certificates: inprocess.NewCertificates(t), Session: time.Minute, Bootstrap: brokers})
	p.Admins = []string{"alice"}
	g := inprocess.Start(t, p, inprocess.NewUsers(t, "alice"))
	w := &wiretap{}
	options := []kgo.Opt{
		kgo.SeedBrokers(g.Addresses[inprocess.SASL]), kgo.Dialer(w.dial),
		kgo.MetadataMinAge(100 * time.Millisecond), kgo.UnknownTopicRetries(1),
		kgo.SASL(scram.Auth{User: "alice", Pass: inprocess.Password("alice")}.AsSha512Mechanism()),
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	produce(ctx, t, options)
	transact(ctx, t, options)
	consume(ctx, t, options)
	administer(ctx, t, options, strict)
	received := w.bytes()
	for _, broker := range brokers {
		for what, trace := range traces(t, broker) {
			if at := bytes.Index(received, trace); at >= 0 {
				t.Errorf("%s of broker %s reached the client: %q", what, broker, received[max(0, at-100):min(len(received), at+100)])
			}
		}
	}
	if len(w.dialled()) < 4 {
		t.Errorf("the client dialled %v: it did not reach three brokers", w.dialled())
	}
	t.Logf("%d bytes from %d addresses of the gateway", len(received), len(w.dialled()))
}

// traces are the forms in which an address is given away: as text, and as the fields of an answer.
func traces(t *testing.T, address string) map[string][]byte {
	t.Helper()
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{
		"the text":   []byte(address),
		"the fields": binary.BigEndian.AppendUint32([]byte(host), uint32(port)),
		"the port":   []byte(":" + text),
	}
	if host == "localhost" {
		all["the host"] = []byte(host)
	}
	return all
}

func produce(ctx context.Context, t *testing.T, options []kgo.Opt) {
	t.Helper()
	client := newClient(t, options)
	for i := range 300 {
		client.Produce(ctx, record(i), nil)
	}
	if err := client.Flush(ctx); err != nil {
		t.Fatalf("produce: %v", err)
	}
	if err := client.ProduceSync(ctx, &kgo.Record{Topic: "no such topic", Value: []byte("x")}).FirstErr(); err == nil {
		t.Error("a record went to a topic that does not exist")
	}
}

func record(i int) *kgo.Record {
	return &kgo.Record{Topic: "orders", Key: []byte(strconv.Itoa(i)), Value: fmt.Appendf(nil, "order %d", i)}
}

func transact(ctx context.Context, t *testing.T, options []kgo.Opt) {
	t.Helper()
	client := newClient(t, append(options, kgo.TransactionalID("alice-transaction")))
	for _, commit := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort} {
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		for i := range 30 {
			client.Produce(ctx, record(i), nil)
		}
		if err := client.Flush(ctx); err != nil {
			t.Fatalf("transaction: %v", err)
		}
		if err := client.EndTransaction(ctx, commit); err != nil {
			t.Fatalf("transaction: %v", err)
		}
	}
}

func consume(ctx context.Context, t *testing.T, options []kgo.Opt) {
	t.Helper()
	client := newClient(t, append(options, kgo.ConsumerGroup("alice-group"), kgo.ConsumeTopics("orders"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(time.Second)))
	for n := 0; n < 300; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("consume: %v", err)
		}
		n += fetches.NumRecords()
	}
	if err := client.CommitUncommittedOffsets(ctx); err != nil {
		t.Fatalf("commit: %v", err)
	}
}

// administer asks for all that may tell an address. Against a real cluster every answer must be a good one.
func administer(ctx context.Context, t *testing.T, options []kgo.Opt, strict bool) {
	t.Helper()
	client := newClient(t, options)
	admin := kadm.NewClient(client)
	quorum := kmsg.NewPtrDescribeQuorumRequest()
	quorum.Topics = []kmsg.DescribeQuorumRequestTopic{{Topic: "__cluster_metadata",
		Partitions: []kmsg.DescribeQuorumRequestTopicPartition{{}}}}
	for what, ask := range map[string]func() error{
		"brokers":       func() error { _, err := admin.ListBrokers(ctx); return err },
		"metadata":      func() error { _, err := admin.Metadata(ctx); return err },
		"configuration": func() error { _, err := admin.DescribeBrokerConfigs(ctx, 1); return err },
		"topic":         func() error { _, err := admin.DescribeTopicConfigs(ctx, "orders"); return err },
		"creation":      func() error { _, err := admin.CreateTopic(ctx, 1, 1, nil, "alice-new"); return err },
		"groups":        func() error { _, err := admin.ListGroups(ctx); return err },
		"a group":       func() error { _, err := admin.DescribeGroups(ctx, "alice-group"); return err },
		"coordinators":  func() error { return admin.FindGroupCoordinators(ctx, "alice-group", "none").Error() },
		"offsets":       func() error { _, err := admin.FetchOffsets(ctx, "alice-group"); return err },
		"end offsets":   func() error { _, err := admin.ListEndOffsets(ctx, "orders"); return err },
		"transactions":  func() error { _, err := admin.ListTransactions(ctx, nil, nil); return err },
		"producers":     func() error { _, err := admin.DescribeProducers(ctx, nil); return err },
		"directories":   func() error { _, err := admin.DescribeAllLogDirs(ctx, nil); return err },
		"cluster":       func() error { _, err := kmsg.NewPtrDescribeClusterRequest().RequestWith(ctx, client); return err },
		"quorum":        func() error { _, err := quorum.RequestWith(ctx, client); return err },
	} {
		if err := ask(); err != nil && strict {
			t.Errorf("asked for %s: %v", what, err)
		}
	}
}

func newClient(t *testing.T, options []kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// wiretap keeps all that a client receives.
type wiretap struct {
	mu        sync.Mutex
	received  []*bytes.Buffer // a connection each
	addresses map[string]bool
}

func (w *wiretap) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.addresses == nil {
		w.addresses = map[string]bool{}
	}
	w.addresses[address] = true
	kept := new(bytes.Buffer)
	w.received = append(w.received, kept)
	return &tapped{conn, w, kept}, nil
}

func (w *wiretap) bytes() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []byte
	for _, r := range w.received {
		all = append(all, r.Bytes()...)
	}
	return all
}

func (w *wiretap) dialled() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []string
	for a := range w.addresses {
		all = append(all, a)
	}
	return all
}

type tapped struct {
	net.Conn
	tap  *wiretap
	kept *bytes.Buffer
}

func (c *tapped) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.tap.mu.Lock()
	c.kept.Write(b[:n])
	c.tap.mu.Unlock()
	return n, err
}
