package proxy

import (
	"context"
	"sync"
	"time"

	"github.com/asyncgate/asyncgate/sasl"
)

// Open sessions whose principal was proved by a token are looked at this often, and their issuers asked where that is due.
const (
	recheckInterval = 5 * time.Second
	recheckTimeout  = 5 * time.Second // for the questions of one round
	recheckWorkers  = 8
)

// recheck ends sessions whose token has been withdrawn, until ctx ends.
func (g *Gateway) recheck(ctx context.Context) {
	ticker := time.NewTicker(recheckInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			g.recheckTokens(ctx)
		}
	}
}

// recheckTokens is one round.
func (g *Gateway) recheckTokens(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, recheckTimeout)
	defer cancel()
	queue := make(chan *Session)
	var workers sync.WaitGroup
	for range recheckWorkers {
		workers.Go(func() {
			for s := range queue {
				s.recheckToken(ctx)
			}
		})
	}
	for _, s := range g.all() {
		if s.token() != nil {
			queue <- s
		}
	}
	close(queue)
	workers.Wait()
}

// token is the session's principal if a token has proved it.
func (s *Session) token() *sasl.Principal {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refused != nil || s.principal == nil || s.principal.Kind != sasl.KindToken {
		return nil
	}
	return s.principal
}

// ByToken reports whether a token has proved the session's principal.
func (s *Session) ByToken() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.principal != nil && s.principal.Kind == sasl.KindToken
}

func (s *Session) recheckToken(ctx context.Context) {
	if p := s.token(); p != nil {
		state := s.Current()
		state.Tokens.Refresh(ctx, p)
		if r := s.judge(state); r != nil {
			s.terminate(r)
		}
	}
}
