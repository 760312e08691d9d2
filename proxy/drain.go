package proxy

import (
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"
)

// ErrDrainForced says that connections were cut because the drain time ran out, or because somebody would not wait.
var ErrDrainForced = errors.New("open connections were cut")

// errDraining refuses what comes too late.
var errDraining = errors.New("the gateway is draining")

// Force ends the drain: open connections are cut now. Without a drain it makes the next one a short one.
func (g *Gateway) Force() { g.force.Do(func() { close(g.forced) }) }

// cutTime is how long goroutines have to notice that their connections were cut.
const cutTime = time.Second

// drain ends the gateway.
func (g *Gateway) drain() error {
	empty, patience := g.refuseAll()
	sessions := g.all()
	g.log.Info("draining", zap.Int("connections", len(sessions)), zap.Duration("atMost", patience))
	for _, s := range sessions {
		s.drain()
	}
	err := g.await(empty, patience)
	g.cancelSessions()
	g.mu.Lock()
	servers := g.servers
	g.mu.Unlock()
	for _, s := range servers {
		s.front.Close()
	}
	g.admin.stop()
	g.log.Info("stopped", zap.Bool("forced", err != nil))
	return err
}

// refuseAll ends accepting and reloading. It returns what is closed when the last session has ended, and how long to
// wait for that.
func (g *Gateway) refuseAll() (empty <-chan struct{}, patience time.Duration) {
	g.reloading.Lock() // a reload that is under way is soon over
	defer g.reloading.Unlock()
	close(g.draining)
	g.metrics.draining.Store(true)
	g.sockets.stop()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.empty = make(chan struct{})
	if len(g.sessions) == 0 {
		close(g.empty)
	}
	return g.empty, g.plan.Limits.Drain
}

// await waits until all sessions have ended, and cuts them when it must.
func (g *Gateway) await(empty <-chan struct{}, patience time.Duration) error {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-empty:
		return nil
	case <-timer.C:
	case <-g.forced:
	}
	cut := g.all()
	if len(cut) == 0 {
		return nil
	}
	for _, s := range cut {
		s.cut()
	}
	g.metrics.cut.Add(float64(len(cut)))
	timer.Reset(cutTime)
	select {
	case <-empty:
	case <-timer.C:
	}
	return fmt.Errorf("%w: %d when the drain ended", ErrDrainForced, len(cut))
}
