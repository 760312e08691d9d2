package proxy

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/asyncgate/asyncgate/sasl"
)

type live struct{}

// Current is today's state of the session's server.
func (s *Session) Current() *State { return nil }

// Admit lets the principal in.
func (s *Session) Admit(p *sasl.Principal) *sasl.Reject { return nil }

// Expires is when the login ends: the earliest of the credential, its certificate and the server's MaxSession. Zero:
// never. It is meaningful after Admit.
func (s *Session) Expires() time.Time { return time.Time{} }

// Refuse is the connection's refusal.
func (s *Session) Refuse(ctx context.Context, r *sasl.Reject, claimed string) {}

// Deny is a refused request on a connection that goes on.
func (s *Session) Deny(api, resource string, r *sasl.Reject) {}

// Draining is closed when the session must end.
func (s *Session) Draining() <-chan struct{} { return nil }

// AfterDraining calls f in its own goroutine once Draining is closed: for those who do not want to keep a goroutine
// waiting for it. There is one f at most.
func (s *Session) AfterDraining(f func()) {}

// Go runs f in a goroutine of the session: the session is not over before f is, and a panic in f ends this session only.
func (s *Session) Go(f func()) {}

// Log is a logger that names the connection.
func (s *Session) Log() *zap.Logger { return nil }

// Metrics are the counters of the session's server.
func (s *Session) Metrics() *Metrics { return nil }
