package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/asyncgate/asyncgate/policy"
	"github.com/asyncgate/asyncgate/proxy"
	"github.com/asyncgate/asyncgate/proxy/kafka/api"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
	"github.com/asyncgate/asyncgate/sasl"
)

// login is the dialogue by which a client proves who it is: ApiVersions, SaslHandshake, then tokens. It runs before
// the first request, and again on the same connection when a client re-authenticates (KIP-368). It answers what a broker answers to
// every wrong, odd and out-of-order message: some refusals are told, in the format of what was refused, others are
// silent. After a refusal nothing more is read.
type login struct {
	session  *proxy.Session
	versions func(context.Context) *versions // nil result: not known in time
	previous *sasl.Principal                 // whose session is renewed; nil at the first login
	lifetime func() time.Duration            // of the session, once the principal has been admitted
	admit    func(*sasl.Principal) *sasl.Reject

	asked     bool // ApiVersions has been answered: before the handshake that happens once
	bare      bool // SaslHandshake 0: tokens come without a header
	mechanism sasl.Mechanism
	exchange  sasl.Exchange
	failed    *sasl.Reject // why it cannot succeed any more; the client has been told, and has yet to say that it knows
}

// answer is what a login makes of one frame.
type answer struct {
	frame     []byte          // for the client, with its length; nil: nothing
	principal *sasl.Principal // set when the login succeeded
	reject    *sasl.Reject    // set when it failed: send the frame, then close
}

func refuse(frame []byte, stage, code, public, format string, args ...any) answer {
	return answer{frame: frame, reject: &sasl.Reject{Stage: stage, Code: code, Public: public, Private: fmt.Sprintf(format, args...)}}
}

// silent is a refusal without an answer.
func silent(code, format string, args ...any) answer {
	return refuse(nil, sasl.StageHandshake, code, "", format, args...)
}

// next takes one frame of the client, without its length.
func (l *login) next(ctx context.Context, frame []byte) answer {
	if l.mechanism != nil && l.bare {
		return l.bareToken(ctx, frame)
	}
	h, n, err := wire.ParseRequestHeader(frame)
	if err != nil {
		return silent("malformed", "request header: %v", err)
	}
	body := frame[n:]
	if l.mechanism != nil {
		return l.authenticate(ctx, h, body)
	}
	switch h.Key {
	case keyAPIVersions:
		return l.apiVersions(ctx, h, body)
	case keySaslHandshake:
		return l.handshake(h, body)
	}
	return silent("login-required", "%s before SaslHandshake", wire.Name(h.Key))
}

func (l *login) apiVersions(ctx context.Context, h wire.RequestHeader, body []byte) answer {
	if l.asked {
		return silent("out-of-order", "a second ApiVersions before SaslHandshake")
	}
	frame, ok := answerAPIVersions(ctx, h, body, l.versions)
	if frame == nil {
		return answer{reject: unanswered(l.session, h, body)}
	}
	l.asked = ok
	return answer{frame: frame}
}

// unanswered says why there is no answer to an ApiVersions request: it cannot be read, or no broker was there to ask.
func unanswered(s *proxy.Session, h wire.RequestHeader, body []byte) *sasl.Reject {
	if parseAPIVersions(h.Version, body) == asksMalformed {
		return &sasl.Reject{Stage: sasl.StageHandshake, Code: "malformed", Private: "ApiVersions that cannot be read"}
	}
	s.Metrics().UpstreamFailures(codeUpstreamUnavailable).Inc()
	return &sasl.Reject{Stage: sasl.StageUpstream, Code: codeUpstreamUnavailable, Private: "no broker has said yet what it supports"}
}

// answerAPIVersions is the frame that answers an ApiVersions request; nil: none, the connection ends. It reports
// whether the request was a good one.
func answerAPIVersions(ctx context.Context, h wire.RequestHeader, body []byte, learned func(context.Context) *versions) (frame []byte, ok bool) {
	switch parseAPIVersions(h.Version, body) {
	case asksUnsupported:
		return apiVersionsRefusal(h.Correlation), false
	case asksInvalid:
		return apiVersionsInvalid(h.Version, h.Correlation), false
	case asksVersions:
		if v := learned(ctx); v != nil {
			return apiVersionsAnswer(h.Version, h.Correlation, codeNone, v), true
		}
	}
	return nil, false
}

func (l *login) handshake(h wire.RequestHeader, body []byte) answer {
	if h.Version < 0 || h.Version > maxSaslHandshakeVersion {
		return silent("unsupported-version", "SaslHandshake version %d", h.Version)
	}
	name, ok := parseSaslHandshake(body)
	if !ok {
		return silent("malformed", "SaslHandshake that cannot be read")
	}
	state := l.session.Current()
	mechanism := state.Mechanism(name)
	offered := mechanismNames(state)
	if mechanism == nil {
		if l.previous != nil {
			return silent("unsupported-mechanism", "re-authentication with a mechanism that is not offered: %.64q", name)
		}
		return refuse(saslHandshakeAnswer(h.Correlation, codeUnsupportedSaslMechanism, offered),
			sasl.StageHandshake, "unsupported-mechanism", "", "%.64q is not offered; offered are %v", name, offered)
	}
	l.mechanism, l.bare = mechanism, h.Version == 0
	l.exchange = mechanism.Start(sasl.Peer{Server: l.session.Server.Name(), Remote: l.session.Remote, TLS: l.session.TLS})
	return answer{frame: saslHandshakeAnswer(h.Correlation, codeNone, offered)}
}

func mechanismNames(state *proxy.State) []string {
	names := make([]string, len(state.Mechanisms))
	for i, m := range state.Mechanisms {
		names[i] = m.Name()
	}
	return names
}

// authenticate takes what comes after SaslHandshake 1: SaslAuthenticate and nothing else.
func (l *login) authenticate(ctx context.Context, h wire.RequestHeader, body []byte) answer {
	if limit, offered := api.MaxVersion(h.Key); !offered || h.Version < 0 || h.Version > limit {
		return silent("unsupported-api", "%s version %d is not offered", wire.Name(h.Key), h.Version)
	}
	if h.Key != keySaslAuthenticate {
		frame, _ := api.ErrorResponse(h, body, codeIllegalSaslState) // nil for what cannot be read: silent then
		return refuse(frame, sasl.StageHandshake, "out-of-order", "", "%s in the middle of a login", wire.Name(h.Key))
	}
	if h.Version < 0 || h.Version > maxSaslAuthenticateVersion {
		return silent("unsupported-version", "SaslAuthenticate version %d", h.Version)
	}
	token, ok := parseSaslAuthenticate(h.Version, body)
	if !ok {
		return silent("malformed", "SaslAuthenticate that cannot be read")
	}
	out, principal, reject := l.step(ctx, token)
	switch {
	case reject != nil && reject.Public == "":
		return answer{reject: reject}
	case reject != nil:
		return answer{reject: reject, frame: saslAuthenticateAnswer(h.Version, h.Correlation,
			codeSaslAuthenticationFailed, reject.Public, out, 0)}
	case principal != nil:
		return answer{principal: principal, frame: saslAuthenticateAnswer(h.Version, h.Correlation,
			codeNone, "", out, l.lifetime())}
	}
	return answer{frame: saslAuthenticateAnswer(h.Version, h.Correlation, codeNone, "", out, 0)}
}

// bareToken takes what comes after SaslHandshake 0. There is no place for an error: a refusal is the end.
func (l *login) bareToken(ctx context.Context, token []byte) answer {
	out, principal, reject := l.step(ctx, token)
	if reject != nil {
		return answer{reject: reject}
	}
	return answer{principal: principal, frame: newFrame(len(out)).raw(out).finish()}
}

// step runs one round of the mechanism, and at its end asks whether the principal may come in.
func (l *login) step(ctx context.Context, token []byte) ([]byte, *sasl.Principal, *sasl.Reject) {
	if l.previous != nil && l.mechanism.Name() != l.previous.Mechanism {
		return nil, nil, &sasl.Reject{Stage: sasl.StageLogin, Code: "mechanism-changed",
			Private: "re-authentication with " + l.mechanism.Name() + " after " + l.previous.Mechanism}
	}
	s := l.exchange.Next(ctx, token)
	l.failed = s.Failed
	if s.Reject != nil || s.Principal == nil {
		return s.Out, nil, s.Reject
	}
	principal, reject := policy.Admit(l.session.Current().Server, l.session.Certificate, s.Principal)
	if reject != nil {
		return nil, nil, reject
	}
	if l.previous != nil && principal.Name != l.previous.Name {
		return nil, nil, &sasl.Reject{Stage: sasl.StageLogin, Code: "principal-changed",
			Public:  fmt.Sprintf("Cannot change principals during re-authentication from User.%s: User.%s", l.previous.Name, principal.Name),
			Private: fmt.Sprintf("re-authentication as %q on a connection of %q", principal.Name, l.previous.Name)}
	}
	if reject := l.admit(principal); reject != nil {
		return nil, nil, reject
	}
	return s.Out, principal, nil
}
