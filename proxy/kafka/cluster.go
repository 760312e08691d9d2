package kafka

import (
	"context"
	"maps"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// refreshEvery is how late the gateway may learn of a change in the cluster. Kafka clients keep their own metadata for
// five minutes, so nothing that they see is older because of it.
const refreshEvery = 5 * time.Second

// retryAfter is the first pause after a failure upstream; it doubles up to refreshEvery.
const retryAfter = 100 * time.Millisecond

// cluster follows the brokers behind one server on connections of the gateway's own: which there are, where they
// listen, and what each supports. It works for as long as its context lives, whatever the brokers do.
type cluster struct {
	upstream  *upstream
	bootstrap []string
	log       *zap.Logger
	onBroker  func(id int32) // called for every broker when it is first seen
	watching  sync.WaitGroup // those who watch a broker

	seen atomic.Pointer[view]
	ask  chan struct{} // wakes the watch before its time

	mu       sync.Mutex
	watched  map[int32]context.CancelFunc
	versions map[int32]*versions // of the brokers that answer
	news     chan struct{}       // closed and replaced whenever the view changes
}

// view is the cluster as it was last seen. It never changes.
type view struct {
	brokers map[int32]string    // host:port of every broker that the cluster names
	of      map[int32]*versions // of those that answer
	common  *versions           // what all of these support; nil while none answers
}

func newCluster(u *upstream, bootstrap []string, log *zap.Logger, onBroker func(int32)) *cluster {
	c := &cluster{
		upstream: u, bootstrap: bootstrap, log: log, onBroker: onBroker,
		ask:      make(chan struct{}, 1),
		watched:  make(map[int32]context.CancelFunc),
		versions: make(map[int32]*versions),
		news:     make(chan struct{}),
	}
	c.seen.Store(&view{})
	return c
}

// watch follows the cluster until ctx ends, and nobody watches a broker any more.
func (c *cluster) watch(ctx context.Context) {
	defer c.watching.Wait()
	pause := backoff{}
	told := false
	last := seed{}
	defer last.close()
	for ctx.Err() == nil {
		brokers, err := c.discover(ctx, &last)
		switch {
		case err == nil:
			if told {
				c.log.Info("upstream is back")
			}
			told = false
			pause.reset()
			c.follow(ctx, brokers)
			c.sleep(ctx, refreshEvery)
		case ctx.Err() == nil:
			if !told { // once a failure, not once a try
				c.log.Error("upstream unavailable", zap.Strings("bootstrap", c.bootstrap), zap.Error(err))
			}
			told = true
			c.sleep(ctx, pause.next())
		}
	}
}

// sleep waits for d, or until somebody asks for a refresh, but never less than the first pause.
func (c *cluster) sleep(ctx context.Context, d time.Duration) {
	least := time.NewTimer(min(d, retryAfter))
	defer least.Stop()
	select {
	case <-ctx.Done():
		return
	case <-least.C:
	}
	timer := time.NewTimer(d - min(d, retryAfter))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-c.ask:
	}
}

// refresh asks the watch to look again now.
func (c *cluster) refresh() {
	select {
	case c.ask <- struct{}{}:
	default:
	}
}

// follow takes a new set of brokers over: it starts to watch new ones, and stops watching those that have gone.
func (c *cluster) follow(ctx context.Context, brokers map[int32]string) {
	c.mu.Lock()
	before := c.seen.Load().brokers
	for id, stop := range c.watched {
		if address, ok := brokers[id]; !ok || address != before[id] {
			stop()
			delete(c.watched, id)
			delete(c.versions, id)
		}
	}
	var added []int32
	for id, address := range brokers {
		if c.watched[id] == nil {
			watch, stop := context.WithCancel(ctx)
			c.watched[id] = stop
			added = append(added, id)
			c.watching.Go(func() { c.watchBroker(watch, id, address) })
		}
	}
	changed := !maps.Equal(before, brokers)
	c.publish(brokers)
	c.mu.Unlock()
	for _, id := range added {
		c.onBroker(id)
	}
	if changed {
		c.log.Info("brokers changed", zap.Int("count", len(brokers)))
	}
}

// watchBroker keeps asking one broker for its versions, on one connection for as long as that lasts: features can be
// finalized at any time, and a broker that comes back may be another release.
func (c *cluster) watchBroker(ctx context.Context, id int32, address string) {
	pause := backoff{}
	for ctx.Err() == nil {
		_ = c.askBroker(ctx, id, address, pause.reset) // the watch of the cluster tells what is wrong
		if ctx.Err() != nil {
			return
		}
		c.learn(ctx, id, nil)
		c.refresh()
		wait(ctx, pause.next())
	}
}

func (c *cluster) askBroker(ctx context.Context, id int32, address string, works func()) error {
	conn, err := c.upstream.dial(ctx, address, nil)
	if err != nil {
		return err
	}
	defer conn.Close()
	q := newQuery(ctx, conn)
	for {
		v, err := q.apiVersions()
		if err != nil {
			return err
		}
		works()
		c.learn(ctx, id, v)
		wait(ctx, refreshEvery)
		if ctx.Err() != nil || conn.due() {
			return ctx.Err()
		}
	}
}

// learn notes what a broker supports; nil: it does not answer.
func (c *cluster) learn(ctx context.Context, id int32, v *versions) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ctx.Err() != nil { // somebody else watches this broker now, or nobody
		return
	}
	if c.versions[id].equal(v) { // as nearly always
		return
	}
	if v == nil {
		delete(c.versions, id)
	} else {
		c.versions[id] = v
	}
	c.publish(c.seen.Load().brokers)
}

// publish makes the state of the moment visible. The caller holds the lock.
func (c *cluster) publish(brokers map[int32]string) {
	of := maps.Clone(c.versions)
	c.seen.Store(&view{brokers: brokers, of: of, common: common(slices.Collect(maps.Values(of)))})
	close(c.news)
	c.news = make(chan struct{})
}

// await waits until the view satisfies a condition, or ctx ends.
func (c *cluster) await(ctx context.Context, satisfied func(*view) bool) (*view, bool) {
	for {
		c.mu.Lock()
		v, news := c.seen.Load(), c.news
		c.mu.Unlock()
		if satisfied(v) {
			return v, true
		}
		c.refresh()
		select {
		case <-news:
		case <-ctx.Done():
			return v, false
		}
	}
}

// joinAddress is host:port of a broker as the cluster names it; a port outside the 16 bits is no address.
func joinAddress(host string, port int32) (string, bool) {
	if port < 1 || port > 65535 || host == "" || len(host) > 255 {
		return "", false
	}
	return net.JoinHostPort(host, strconv.Itoa(int(port))), true
}
