package proxy

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/asyncgate/asyncgate/policy"
	"github.com/asyncgate/asyncgate/sasl"
)

// live is the part of a session that changes.
type live struct {
	tcp     *net.TCPConn
	until   time.Time  // the deadline of all stages up to the login
	client  netip.Addr // counted by address; zero: exempt, or not counted yet
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup // what Go has started

	mu        sync.Mutex
	principal *sasl.Principal // nil until admitted
	admitted  string          // the principal's name while it is counted
	expires   time.Time       // when the login ends
	closes    time.Time       // when the connection does: then, or a little later where the login may be renewed
	expiry    *time.Timer
	refused   *sasl.Reject
	draining  bool
	gone      bool          // the connection has been cut
	drained   chan struct{} // made when somebody asks
	after     func()
}

// Current is today's state of the session's server. [Session.State] is that of the accept.
func (s *Session) Current() *State { return s.Server.State() }

// Metrics are the numbers of the session's server.
func (s *Session) Metrics() *Metrics { return s.Server.metrics }

// Log is a logger that names the connection. It is made anew for each call: most connections log nothing.
func (s *Session) Log() *zap.Logger {
	return s.Server.log.With(zap.String("conn", s.ID), zap.Stringer("remote", s.Remote))
}

// Public texts of refusals that the session itself decides.
const (
	publicBusy    = "Too many connections"
	publicChanged = "Cannot change principals"
	publicEnded   = "Session has ended"
)

// Admit lets in whom [policy.Admit] has named. It counts the principal's connections, arms the end of the session, and
// writes the audit record "login". The deadline of the login ends; from here on the protocol bounds its reads and
// writes itself, and has limits.Idle to begin with it.
//
// After a re-authentication it is called again. The principal must be the same; the session's end moves.
//
// What it refuses is not recorded yet: pass the result to [Session.Refuse].
func (s *Session) Admit(p *sasl.Principal) *sasl.Reject {
	first, reject := s.admit(p)
	if reject != nil {
		return reject
	}
	// A reload judges the sessions it finds; one that was admitted by the old state meanwhile judges itself.
	if reject := s.judge(s.Current()); reject != nil {
		return reject
	}
	if first {
		_ = s.tcp.SetDeadline(time.Time{})
		_ = s.tcp.SetReadDeadline(time.Now().Add(s.State.Limits.Idle))
	}
	s.Metrics().logins.WithLabelValues(p.Mechanism).Inc()
	r := s.record("login")
	r.decision, r.stage = allow, sasl.StageLogin
	if !first {
		r.code = "renewed"
	}
	s.Server.gateway.audit.write(r)
	return nil
}

func (s *Session) admit(p *sasl.Principal) (first bool, reject *sasl.Reject) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.refused != nil:
		return false, s.refused
	case s.draining:
		return false, &sasl.Reject{Stage: sasl.StageSession, Code: "draining", Public: publicEnded, Private: "the session had to end"}
	case s.principal != nil && s.principal.Name != p.Name:
		return false, &sasl.Reject{Stage: sasl.StagePolicy, Code: "principal-changed", Public: publicChanged,
			Private: "re-authentication named " + quoted(p.Name)}
	}
	first = s.principal == nil
	if first && p.Mechanism != "" { // everyone is the same principal where nobody logs in
		limits := &s.State.Limits
		if !s.Server.gateway.tokens.admit(limits, p.Name) {
			return false, &sasl.Reject{Stage: sasl.StagePolicy, Code: "principal-connections", Public: publicBusy,
				Private: "as many open connections as limits.perPrincipal allows " + quoted(p.Name)}
		}
		s.admitted = p.Name
	}
	s.principal = p
	s.expires, s.closes = s.end(p)
	s.arm()
	return first, nil
}

// end is when a login of the principal ends, and when its connection does. A credential that has ended has no
// connection. A login that maxSession bounds may be renewed late, as with a broker, which ends the connection only with
// another request; for clients that never ask again the connection ends as long after as a login may take.
func (s *Session) end(p *sasl.Principal) (login, connection time.Time) {
	login, connection = p.Expires, p.Expires
	sooner := func(t, than time.Time) time.Time {
		if than.IsZero() || t.Before(than) {
			return t
		}
		return than
	}
	state := s.Current()
	if longest := state.Server.MaxSession; longest > 0 && p.Mechanism != "" {
		end := time.Now().Add(longest)
		login, connection = sooner(end, login), sooner(end.Add(state.Limits.Handshake), connection)
	}
	return login, connection
}

// arm cuts the connection in its time.
func (s *Session) arm() {
	if s.expiry != nil {
		s.expiry.Stop()
		s.expiry = nil
	}
	if !s.closes.IsZero() {
		s.expiry = time.AfterFunc(time.Until(s.closes), s.expire)
	}
}

func (s *Session) expire() {
	s.mu.Lock()
	due := !s.closes.IsZero() && !time.Now().Before(s.closes)
	if !due && s.ctx.Err() == nil { // renewed meanwhile, or the clock was set back
		s.arm()
	}
	s.mu.Unlock()
	if due {
		s.terminate(&sasl.Reject{Stage: sasl.StageSession, Code: "expired", Public: publicEnded, Private: "the login has expired and was not renewed"})
	}
}

// Expires is when the login ends: with its credential, or after the server's MaxSession. Zero: never. It is meaningful
// after [Session.Admit]. A protocol serves no request after it, but one that renews the login; the connection is cut with
// the credential, or limits.handshake after MaxSession.
func (s *Session) Expires() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.expires
}

// judge says whether a state would still admit the session.
func (s *Session) judge(state *State) *sasl.Reject {
	s.mu.Lock()
	p := s.principal
	s.mu.Unlock()
	if p == nil {
		return nil // it has yet to log in, by the state of that time
	}
	reject := func(code, private string) *sasl.Reject {
		return &sasl.Reject{Stage: sasl.StageSession, Code: code, Public: publicEnded, Private: private}
	}
	if state.TLS != nil {
		if s.TLS == nil {
			return reject("tls-required", "the server now asks for TLS")
		}
		if err := recheck(state, s); err != nil {
			return reject(tlsCode(err), err.Error())
		}
	}
	certificate, login := s.Certificate, p
	if certificate != nil {
		if err := state.Directory.Check(certificate); err != nil {
			if p.Mechanism == sasl.External {
				return reject(checkCode(err), "client certificate: "+err.Error())
			}
			certificate = nil
		}
	}
	switch p.Mechanism {
	case sasl.External, "":
		login = nil
	default:
		check := state.Directory.Check
		if p.Kind == sasl.KindToken {
			check = state.Tokens.Check
		}
		if err := check(p); err != nil {
			return reject(checkCode(err), "credential: "+err.Error())
		}
	}
	who, r := policy.Admit(state.Server, certificate, login)
	switch {
	case r != nil:
		return reject(r.Code, r.Private)
	case who.Name != p.Name:
		return reject("principal-changed", "the session would now be another principal's")
	}
	return nil
}
