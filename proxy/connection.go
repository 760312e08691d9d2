package proxy

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"go.uber.org/zap"

	"github.com/asyncgate/asyncgate/sasl"
)

// open takes a connection through the stages before its protocol, all under the one deadline that began at accept:
// PROXY protocol header, TLS.
func (s *Session) open() {
	ready := false
	defer func() {
		if r := recover(); r != nil {
			s.panicked(r)
			ready = false
		}
		if !ready {
			s.finish(nil)
		}
	}()
	_ = s.tcp.SetDeadline(s.until)
	if s.State.Server.ProxyProtocol && !s.proxied() {
		return
	}
	if s.State.TLS != nil && !s.secured() {
		return
	}
	ready = true
	go s.serve() // on a fresh stack: a TLS handshake grows this one by 4 KiB, which an idle connection would keep
}

// proxied reads the PROXY protocol header and applies the limits of the client it names.
func (s *Session) proxied() bool {
	client, ok, err := readHeader(s.tcp)
	if err != nil {
		code := "proxy-header"
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			code = "timeout"
		case errors.Is(err, errNoHeader):
			code = "proxy-header-missing"
		case left(err):
			code = "left"
		}
		s.Refuse(s.ctx, &sasl.Reject{Stage: sasl.StageProxy, Code: code, Private: err.Error()})
		return false
	}
	if ok {
		s.mu.Lock()
		s.Remote = client
		s.mu.Unlock()
	}
	return s.enter()
}

// secured shakes hands and looks up whose certificate the client has shown.
func (s *Session) secured() bool {
	conn := newTLSConn(s.tcp, s.State.TLS)
	if err := conn.Handshake(); err != nil {
		s.Refuse(s.ctx, tlsReject(err))
		return false
	}
	state := conn.ConnectionState()
	s.Conn, s.TLS = conn, &state
	if s.Broker == Bootstrap {
		s.Broker, _ = s.State.names.broker(state.ServerName) // the handshake has refused unknown ones
	}
	s.Certificate, s.CertificateErr = certificate(s.State.Directory, state.PeerCertificates)
	return true
}

// serve runs the protocol.
func (s *Session) serve() {
	var err error
	defer func() {
		if r := recover(); r != nil {
			s.panicked(r)
		}
		s.finish(err)
	}()
	err = s.Server.front.Serve(s.ctx, s)
}

// panicked ends this connection, and only this one, for a fault of ours.
func (s *Session) panicked(r any) {
	s.Metrics().panics.Inc()
	s.Log().Error("connection ended by a panic", zap.String("panic", plain(fmt.Sprint(r))), zap.ByteString("stack", debug.Stack()))
	s.Refuse(s.ctx, &sasl.Reject{Stage: sasl.StageSession, Code: "panic", Private: "a fault of the gateway, see its log"})
	s.cut()
}

// finish writes what is left to say about a connection, closes it and forgets it.
func (s *Session) finish(err error) {
	s.cancel()
	s.outcome(err)
	s.close()
	s.running.Wait()
	s.mu.Lock()
	if s.expiry != nil {
		s.expiry.Stop()
	}
	s.mu.Unlock()
	s.Server.gateway.remove(s)
	s.release()
}

// outcome says how a connection ended that was neither refused nor let in, or that was let in and then failed.
func (s *Session) outcome(err error) {
	s.mu.Lock()
	refused, admitted := s.refused != nil, s.principal != nil
	s.mu.Unlock()
	switch {
	case refused:
	case admitted:
		if err != nil {
			s.Log().Debug("connection ended", zap.String("error", plain(err.Error())))
		}
	case errors.Is(err, os.ErrDeadlineExceeded) && !s.ending():
		s.Refuse(s.ctx, &sasl.Reject{Stage: sasl.StageHandshake, Code: "timeout", Private: "not authenticated within limits.handshake"})
	case s.ending():
		s.Refuse(s.ctx, &sasl.Reject{Stage: sasl.StageHandshake, Code: "draining", Private: "the gateway was draining before the client had authenticated"})
	default:
		reason := "the client left before it had authenticated"
		if err != nil && !left(err) {
			reason += ": " + err.Error()
		}
		s.Refuse(s.ctx, &sasl.Reject{Stage: sasl.StageHandshake, Code: "left", Private: reason})
	}
}

// Bounds of the wait for a refused client to read why: closing a socket with unread bytes resets the connection, and the
// reset overtakes the alert or the answer that was sent before.
const (
	lingerTime  = 250 * time.Millisecond
	lingerBytes = 64 << 10
)

// close ends the connection. A refused client gets the time to read why.
func (s *Session) close() {
	s.mu.Lock()
	linger := s.refused != nil && !s.gone
	s.mu.Unlock()
	_ = s.tcp.SetDeadline(time.Now().Add(lingerTime))
	if conn, ok := s.Conn.(*tlsConn); ok {
		_ = conn.CloseWrite() // close_notify
	}
	if linger && s.tcp.CloseWrite() == nil {
		discard(s.tcp, lingerBytes)
	}
	_ = s.tcp.Close()
}

// discard reads and forgets up to limit bytes.
func discard(r interface{ Read([]byte) (int, error) }, limit int) {
	var b [512]byte
	for limit > 0 {
		n, err := r.Read(b[:])
		if err != nil {
			return
		}
		limit -= n
	}
}
