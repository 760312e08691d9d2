package tokens

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/asyncgate/asyncgate/sasl"
)

// source has the keys of one issuer and renews them. Nothing runs while nobody asks: a question that finds the keys old
// has them renewed behind its back. Ages are measured with the monotonic clock, which no clock jump moves.
type source struct {
	name   string
	fetch  func(context.Context) (*keySet, error) // nil: the keys are those of a file, and never old
	failed func(issuer string, err error)

	refresh, interval, maxAge time.Duration

	mu       sync.Mutex
	set      *keySet
	fetched  time.Time     // when set was
	next     time.Time     // no fetch begins before
	pending  chan struct{} // closed when the fetch that is under way has ended; nil: none is
	failures int           // in a row
	err      error         // of the last fetch
}

// firstRetry is how long after the first failure the next fetch may begin. It doubles up to the interval.
const firstRetry = 100 * time.Millisecond

// fetchTimeout bounds one fetch of keys, discovery included: what a login may take.
const fetchTimeout = 10 * time.Second

// find returns the keys that may have signed a token. It waits for a fetch only where it knows none, and causes none
// within the interval after another.
func (s *source) find(ctx context.Context, id string, a *algorithm) ([]*key, *sasl.Reject) {
	if keys := s.known(id, a); len(keys) > 0 {
		return keys, nil
	}
	if pending := s.start(); pending != nil {
		select {
		case <-pending:
		case <-ctx.Done():
			return nil, reject(sasl.CodeIssuerUnavailable, "issuer %s did not show its keys before the deadline", quote(s.name))
		}
	}
	if keys := s.known(id, a); len(keys) > 0 { // also where it is too soon for a fetch: one may have ended since the first look
		return keys, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current() == nil {
		return nil, reject(sasl.CodeIssuerUnavailable, "issuer %s does not show its keys: %v", quote(s.name), s.reason())
	}
	return nil, reject(sasl.CodeUnknownSigningKey, "issuer %s has no key %s for %s", quote(s.name), quote(id), a.name)
}

// reason is why there are no keys.
func (s *source) reason() error {
	if s.err != nil {
		return s.err
	}
	return fmt.Errorf("they are older than %s", s.maxAge)
}

// known looks in what is known, and has it renewed where it is old.
func (s *source) known(id string, a *algorithm) []*key {
	s.mu.Lock()
	set := s.current()
	old := s.fetch != nil && time.Since(s.fetched) >= s.refresh
	s.mu.Unlock()
	if set == nil {
		return nil
	}
	if old {
		s.start()
	}
	return set.find(id, a)
}

// current is the set, unless it is too old. The lock is held.
func (s *source) current() *keySet {
	if s.fetch != nil && time.Since(s.fetched) >= s.maxAge {
		return nil
	}
	return s.set
}

// holds reports whether a key is still the issuer's, as far as is known: an issuer that cannot be asked has withdrawn
// nothing.
func (s *source) holds(thumbprint string) bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.set == nil || s.set.names[thumbprint]
}

// renew has old keys renewed, in the background.
func (s *source) renew() {
	s.mu.Lock()
	old := s.fetch != nil && time.Since(s.fetched) >= s.refresh
	s.mu.Unlock()
	if old {
		s.start()
	}
}

// start begins a fetch unless one is under way, and returns what is closed at its end; nil: it is too soon for one.
func (s *source) start() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fetch == nil {
		return nil
	}
	if s.pending != nil {
		return s.pending
	}
	if time.Now().Before(s.next) {
		return nil
	}
	pending := make(chan struct{})
	s.pending = pending
	go s.run(pending)
	return pending
}

// errFault stands for a panic over an issuer's answer, which must not end the gateway.
var errFault = errors.New("its answer meets a fault of the gateway; please report it")

func (s *source) guarded(ctx context.Context) (set *keySet, err error) {
	defer func() {
		if r := recover(); r != nil {
			set, err = nil, errFault
		}
	}()
	return s.fetch(ctx)
}

// run is one fetch. It belongs to nobody who asks: who leaves does not end it.
func (s *source) run(pending chan struct{}) {
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
	defer cancel()
	set, err := s.guarded(ctx)
	s.mu.Lock()
	began, ended := err != nil && s.failures == 0, err == nil && s.failures > 0
	now := time.Now()
	if err == nil {
		s.set, s.fetched, s.failures, s.err = set, now, 0, nil
		s.next = now.Add(s.interval)
	} else {
		s.next = now.Add(min(firstRetry<<min(s.failures, 20), s.interval))
		s.failures++
		s.err = err
	}
	s.pending = nil
	close(pending)
	s.mu.Unlock()
	if s.failed != nil && (began || ended) {
		s.failed(s.name, err)
	}
}
