package proxy

import (
	"context"
	"errors"
	"time"

	"github.com/asyncgate/asyncgate/policy"
	"github.com/asyncgate/asyncgate/sasl"
	"github.com/asyncgate/asyncgate/tlsconf"
)

// Refuse is the end of a connection that the gateway does not serve, or not any longer. It writes the connection's one
// audit record of refusal; a second call does nothing.
//
// At stage login it counts a failure of the client's address and, from the fifth within a minute on, holds the caller
// back until the refusal may be shown. So call it before the refusal is sent.
func (s *Session) Refuse(ctx context.Context, r *sasl.Reject) {
	s.mu.Lock()
	if s.refused != nil {
		s.mu.Unlock()
		return
	}
	s.refused = r
	s.mu.Unlock()
	s.Metrics().refusals.WithLabelValues(r.Stage, r.Code).Inc()
	record := s.record("refused").because(r)
	if r.Stage == sasl.StagePolicy && s.TLS != nil && s.CertificateErr != nil && policy.Takes(s.State.Server, sasl.External) {
		record.reason += "; " + s.CertificateErr.Error()
	}
	s.Server.gateway.audit.write(record)
	if !guess(r) || exempt(&s.State.Limits, s.Remote.Addr()) {
		return
	}
	delay := s.Server.gateway.throttle.fail(clientOf(s.Remote.Addr()), time.Now())
	if delay == 0 {
		return
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// guess reports whether a refusal is a failed login of the client's, and not a failure of ours.
func guess(r *sasl.Reject) bool {
	return r.Stage == sasl.StageLogin && r.Code != sasl.CodeBusy && r.Code != sasl.CodeDirectoryFailure &&
		r.Code != sasl.CodeIssuerUnavailable
}

// Deny is a request that is refused on a connection that goes on: one audit record, and the request counter of the API.
func (s *Session) Deny(api, resource string, r *sasl.Reject) {
	s.Metrics().Requests(api, deny).Inc()
	record := s.record("denied").because(r)
	record.api, record.resource = api, resource
	s.Server.gateway.audit.write(record)
}

// record begins an audit record about the session.
func (s *Session) record(message string) record {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := record{message: message, conn: s.ID, remote: s.Remote, server: s.Server.name}
	if s.principal != nil {
		r.principal, r.mechanism = s.principal.Name, s.principal.Mechanism
	}
	return r
}

// Draining is closed when the session must come to an end: the gateway drains, or the login has expired, was revoked,
// or is no longer what the server asks for. What is under way may be finished; nothing new is begun.
func (s *Session) Draining() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.drained == nil {
		s.drained = make(chan struct{})
		if s.draining {
			close(s.drained)
		}
	}
	return s.drained
}

// Refused reports whether the session is one that the gateway does not serve any longer: it may not even begin what it
// has sent already.
func (s *Session) Refused() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused != nil
}

// Refusal is why the gateway does not serve the session any longer; nil: it does, though it may drain.
func (s *Session) Refusal() *sasl.Reject {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused
}

// AfterDraining calls f, in a goroutine of its own, once the session must come to an end; at once if it must already. It
// is for those who wait in a read: f ends the wait, and no goroutine needs to sit beside it. A second call replaces f.
func (s *Session) AfterDraining(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		go f()
		return
	}
	s.after = f
}

// Go runs f in a goroutine of the session's: the session is not over before f has returned, and a panic in f ends this
// session only. What f blocks in must end when the connection is closed or the context of Serve ends.
func (s *Session) Go(f func()) {
	s.running.Go(func() { s.guarded(f) })
}

// Aside runs f on a stack of its own, which is thrown away, and waits for it. It is for what goes deep once in a
// connection that then waits for hours: a stack that has grown stays so. A panic in f ends the session, as with Go; Aside
// returns all the same.
func (s *Session) Aside(f func()) {
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		s.guarded(f)
	}()
	<-returned
}

// guarded runs f, whose panic ends this session only.
func (s *Session) guarded(f func()) {
	defer func() {
		if r := recover(); r != nil {
			s.panicked(r)
		}
	}()
	f()
}

// ending reports whether the session must come to an end.
func (s *Session) ending() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draining
}

// drain asks the session to come to an end.
func (s *Session) drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return
	}
	s.draining = true
	if s.drained != nil {
		close(s.drained)
	}
	if s.after != nil {
		go s.after()
	}
}

// endTime is how long a session that is no longer allowed has for the answers to what it has asked already.
const endTime = time.Second

// terminate ends a session that is no longer allowed, with the audit record that says why.
func (s *Session) terminate(r *sasl.Reject) {
	s.Refuse(s.ctx, r)
	s.drain()
	time.AfterFunc(endTime, s.cut)
}

// cut closes the connection under whoever is using it.
func (s *Session) cut() {
	s.mu.Lock()
	s.gone = true
	s.mu.Unlock()
	s.cancel()
	_ = s.tcp.Close()
}

// recheck judges the client's certificates by a newer state.
func recheck(state *State, s *Session) error {
	if s.Certificate == nil || state == s.State {
		return nil
	}
	return tlsconf.Recheck(state.TLS, s.TLS.PeerCertificates)
}

// checkCode is the audit code of a credential that is no longer good.
func checkCode(err error) string {
	if errors.Is(err, sasl.ErrExpired) {
		return "expired"
	}
	return "revoked"
}
