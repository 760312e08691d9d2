package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// login proves a user with SCRAM.
func login(user string) kgo.Opt {
	return kgo.SASL(scram.Auth{User: user, Pass: secret(user)}.AsSha512Mechanism())
}

// client is a client of one of the gateway's servers. It is closed with the test.
func (g *gateway) client(t testing.TB, server, user string, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	all := []kgo.Opt{kgo.SeedBrokers(g.Address(t, server))}
	if user != "" {
		all = append(all, login(user))
	}
	if server != "clear" {
		all = append(all, kgo.DialTLSConfig(g.tls(t, "")))
	}
	return newClient(t, append(all, options...)...)
}

// newClient is a client that soon learns of changes, and does not keep a draining gateway waiting.
func newClient(t testing.TB, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	quick := []kgo.Opt{kgo.MetadataMinAge(100 * time.Millisecond), kgo.FetchMaxWait(500 * time.Millisecond)}
	c, err := kgo.NewClient(append(quick, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// dialled notes the addresses of a client's connections.
type dialled struct {
	mu  sync.Mutex
	all map[string]bool
}

func (d *dialled) note(address string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.all == nil {
		d.all = map[string]bool{}
	}
	d.all[address] = true
}

// dial notes where it dials.
func (d *dialled) dial(ctx context.Context, network, address string) (net.Conn, error) {
	d.note(address)
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

func (d *dialled) addresses() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []string
	for a := range d.all {
		all = append(all, a)
	}
	slices.Sort(all)
	return all
}

// shifted dials a port that lies so much higher than the address says, and notes where the connection comes from.
func (d *dialled) shifted(by int) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		to, err := net.ResolveTCPAddr(network, address)
		if err != nil {
			return nil, err
		}
		to.Port += by
		conn, err := (&net.Dialer{}).DialContext(ctx, network, to.String())
		if err == nil {
			d.note(conn.LocalAddr().String())
		}
		return conn, err
	}
}

// brokers are the addresses that the gateway names for the brokers, by id.
func brokers(t testing.TB, c *kgo.Client) map[int32]string {
	t.Helper()
	request := kmsg.NewPtrMetadataRequest()
	request.Topics = []kmsg.MetadataRequestTopic{}
	response, err := request.RequestWith(within(t), c)
	if err != nil {
		t.Fatal(err)
	}
	all := map[int32]string{}
	for _, b := range response.Brokers {
		all[b.NodeID] = fmt.Sprintf("%s:%d", b.Host, b.Port)
	}
	return all
}

// leaders are the brokers that lead the partitions of a topic, by partition.
func leaders(ctx context.Context, c kmsg.Requestor, topic string) ([]int32, kmsg.MetadataResponseTopic, error) {
	named := kmsg.NewMetadataRequestTopic()
	named.Topic = kmsg.StringPtr(topic)
	request := kmsg.NewPtrMetadataRequest()
	request.Topics = append(request.Topics, named)
	response, err := request.RequestWith(ctx, c)
	if err != nil {
		return nil, kmsg.MetadataResponseTopic{}, err
	}
	found := response.Topics[0]
	all := make([]int32, len(found.Partitions))
	for _, p := range found.Partitions {
		all[p.Partition] = p.Leader
	}
	return all, found, kerr.ErrorForCode(found.ErrorCode)
}

// produce writes values to a topic, round-robin over its partitions.
func produce(t testing.TB, c *kgo.Client, topic string, values ...string) {
	t.Helper()
	var records []*kgo.Record
	for _, v := range values {
		records = append(records, &kgo.Record{Topic: topic, Value: []byte(v)})
	}
	if err := c.ProduceSync(within(t), records...).FirstErr(); err != nil {
		t.Fatalf("produce: %v", err)
	}
}

// consume reads until it has all of these values, and fails if one came twice.
func consume(t testing.TB, c *kgo.Client, want []string) {
	t.Helper()
	ctx := within(t)
	got := map[string]int{}
	for missing := len(want); missing > 0; {
		fetches := c.PollFetches(ctx)
		if err := ctx.Err(); err != nil {
			t.Fatalf("%d of %d values were not consumed: %v; these were: %v", missing, len(want), err, got)
		}
		fetches.EachError(func(topic string, p int32, err error) { t.Errorf("fetch of %s/%d: %v", topic, p, err) })
		fetches.EachRecord(func(r *kgo.Record) {
			value := string(r.Value)
			if got[value]++; got[value] == 1 && slices.Contains(want, value) {
				missing--
			}
		})
	}
	for _, v := range want {
		if got[v] != 1 {
			t.Errorf("%q was consumed %d times", v, got[v])
		}
	}
}

// works has a fresh client of the gateway do a round trip.
func (g *gateway) works(t testing.TB, server, user, topic string, options ...kgo.Opt) {
	t.Helper()
	options = append(options, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	c := g.client(t, server, user, options...)
	values := numbered(fmt.Sprint(time.Now().UnixNano()), 3)
	produce(t, c, topic, values...)
	ctx := within(t)
	for seen := 0; seen < len(values); {
		fetches := c.PollFetches(ctx)
		if err := ctx.Err(); err != nil {
			t.Fatalf("consumed %d of %d values: %v", seen, len(values), err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if slices.Contains(values, string(r.Value)) {
				seen++
			}
		})
	}
}

// workload is a producer and a consumer at work all the time.
type workload struct {
	topic    string
	stopped  chan struct{} // closed when the producer is to end
	sent     chan struct{} // closed when it has
	ended    sync.WaitGroup
	produced atomic.Int64
	consumed atomic.Int64
	losses   atomic.Int64 // connections that ended

	cancel context.CancelFunc
	mu     sync.Mutex
	errs   []error
	seen   map[string]int
	behind []string // records that came after a later one of their partition
}

// OnBrokerDisconnect makes the workload a hook of its clients.
func (w *workload) OnBrokerDisconnect(kgo.BrokerMetadata, net.Conn) {
	select {
	case <-w.stopped:
	default:
		w.losses.Add(1)
	}
}

// steadily keeps a producer, idempotent as it is by default, and a consumer of the topic busy until halt.
func steadily(t testing.TB, topic string, client func(...kgo.Opt) *kgo.Client) *workload {
	t.Helper()
	w := &workload{topic: topic, stopped: make(chan struct{}), sent: make(chan struct{}), seen: map[string]int{}}
	options := []kgo.Opt{kgo.WithHooks(w), kgo.ConnIdleTimeout(10 * time.Minute), kgo.RecordDeliveryTimeout(2 * patience)}
	producer := client(append(options, kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))...)
	consumer := client(append(options, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
	var ctx context.Context
	ctx, w.cancel = context.WithCancel(context.WithoutCancel(t.Context()))
	t.Cleanup(w.cancel)
	w.ended.Go(func() { w.produce(ctx, producer) })
	w.ended.Go(func() { w.consume(ctx, consumer) })
	return w
}

// produce sends a record every few milliseconds, each with its number.
func (w *workload) produce(ctx context.Context, c *kgo.Client) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	defer close(w.sent)
	var sent sync.WaitGroup
	defer sent.Wait()
	for n := 0; ; n++ {
		select {
		case <-w.stopped:
			return
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		sent.Add(1)
		c.Produce(ctx, &kgo.Record{Value: fmt.Appendf(nil, "%08d", n)}, func(_ *kgo.Record, err error) {
			defer sent.Done()
			if err != nil {
				w.fail(fmt.Errorf("produce: %w", err))
				return
			}
			w.produced.Add(1)
		})
	}
}

func (w *workload) consume(ctx context.Context, c *kgo.Client) {
	last := map[int32]string{}
	for {
		fetches := c.PollFetches(ctx)
		if ctx.Err() != nil {
			return
		}
		fetches.EachError(func(_ string, p int32, err error) { w.fail(fmt.Errorf("fetch of partition %d: %w", p, err)) })
		w.mu.Lock()
		fetches.EachRecord(func(r *kgo.Record) {
			value := string(r.Value)
			w.seen[value]++
			if value < last[r.Partition] {
				w.behind = append(w.behind, value)
			}
			last[r.Partition] = value
		})
		w.consumed.Store(int64(len(w.seen)))
		w.mu.Unlock()
	}
}

func (w *workload) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.errs = append(w.errs, err)
}

// goesOn waits until that many more records have come through.
func (w *workload) goesOn(t testing.TB, what string) {
	t.Helper()
	const more = 100
	from := w.consumed.Load()
	eventually(t, what, func() error {
		if n := w.consumed.Load() - from; n < more {
			return fmt.Errorf("%d of %d records came through", n, more)
		}
		return nil
	})
}

// halt stops the workload once everything produced is consumed, and fails the test for each error, and for records that
// were lost, came twice, or out of order.
func (w *workload) halt(t testing.TB) {
	t.Helper()
	close(w.stopped)
	select {
	case <-w.sent:
	case <-time.After(patience):
		t.Errorf("the producer does not end; %d records are acknowledged", w.produced.Load())
	}
	eventually(t, "everything produced is consumed", func() error {
		w.mu.Lock()
		failed := errors.Join(w.errs...)
		w.mu.Unlock()
		if produced, consumed := w.produced.Load(), w.consumed.Load(); failed == nil && (produced == 0 || produced != consumed) {
			return fmt.Errorf("%d produced, %d consumed", produced, consumed)
		}
		return nil
	})
	w.cancel()
	w.ended.Wait()
	for _, err := range w.errs {
		t.Error(err)
	}
	for value, times := range w.seen {
		if times != 1 {
			t.Errorf("record %s was consumed %d times", value, times)
		}
	}
	if len(w.behind) > 0 {
		t.Errorf("out of order: %v", w.behind)
	}
	t.Logf("%d records, %d connections lost", w.produced.Load(), w.losses.Load())
}
