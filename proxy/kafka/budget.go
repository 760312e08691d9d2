package kafka

import "sync"

// produceBudget bounds the Produce requests of all connections of a server that are being read whole because they write to
// several topics, in bytes. One of limits.frame (100 MiB unless the settings say otherwise) fits beside many of the usual
// 1 MiB (max.request.size of producers).
const produceBudget = 256 << 20

// budget is memory that many connections share. The zero value is ready.
type budget struct {
	mu    sync.Mutex
	freed sync.Cond
	used  int
}

// take waits until there is room for so many bytes. One taker is always let in, whatever it takes.
func (b *budget) take(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.freed.L = &b.mu
	for b.used > 0 && b.used+n > produceBudget {
		b.freed.Wait()
	}
	b.used += n
}

// give returns what was taken.
func (b *budget) give(n int) {
	b.mu.Lock()
	b.used -= n
	b.mu.Unlock()
	b.freed.Broadcast()
}
