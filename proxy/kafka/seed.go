package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// discover asks for the brokers of the cluster: on the connection of last time, else at the first seed that answers.
func (c *cluster) discover(ctx context.Context, last *seed) (map[int32]string, error) {
	if last.query != nil && !last.query.conn.due() {
		if brokers, err := last.query.brokers(last.versions); err == nil {
			return brokers, nil
		}
	}
	last.close()
	var failures []error
	for _, address := range c.seeds() {
		brokers, err := last.open(ctx, c.upstream, address)
		if err == nil {
			return brokers, nil
		}
		last.close()
		failures = append(failures, fmt.Errorf("%s: %w", address, err))
		if ctx.Err() != nil {
			break
		}
	}
	return nil, errors.Join(failures...)
}

// seed is the connection on which the gateway asks for the brokers.
type seed struct {
	query    *query
	versions *versions
}

func (s *seed) open(ctx context.Context, u *upstream, address string) (map[int32]string, error) {
	conn, err := u.dial(ctx, address, nil)
	if err != nil {
		return nil, err
	}
	s.query = newQuery(ctx, conn)
	if s.versions, err = s.query.apiVersions(); err != nil {
		return nil, err
	}
	return s.query.brokers(s.versions)
}

func (s *seed) close() {
	if s.query != nil {
		_ = s.query.conn.Close()
	}
	*s = seed{}
}

// seeds are the addresses to ask: brokers that answer, those from the settings, then brokers that have fallen silent. Each
// may take upstreamTimeout, so that a cluster that has moved away is best not looked for where it was.
func (c *cluster) seeds() []string {
	seen := c.seen.Load()
	var answering, silent []string
	for id, address := range seen.brokers {
		if seen.of[id] != nil {
			answering = append(answering, address)
		} else {
			silent = append(silent, address)
		}
	}
	var seeds []string
	for _, address := range slices.Concat(answering, c.bootstrap, silent) {
		if !slices.Contains(seeds, address) {
			seeds = append(seeds, address)
		}
	}
	return seeds
}
