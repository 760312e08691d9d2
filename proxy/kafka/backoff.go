package kafka

import (
	"context"
	"time"
)

// backoff is a pause that doubles from retryAfter to refreshEvery.
type backoff struct{ last time.Duration }

func (b *backoff) next() time.Duration {
	b.last = min(max(2*b.last, retryAfter), refreshEvery)
	return b.last
}

func (b *backoff) reset() { b.last = 0 }

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
