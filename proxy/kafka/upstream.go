package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/proxy"
	"github.com/asyncgate/asyncgate/sasl"
	"github.com/asyncgate/asyncgate/tlsconf"
)

// upstreamTimeout bounds everything between the dial and the end of the gateway's own login at a broker: what Kafka
// clients allow for it (socket.connection.setup.timeout.ms).
const upstreamTimeout = 10 * time.Second

// loginFrame bounds a broker's answers while the gateway logs in. They are a mechanism's name or a SCRAM message.
const loginFrame = 16 << 10

// upstream knows how to reach and recognise the brokers of one server, and who the gateway is to them.
type upstream struct {
	dialer    net.Dialer
	tls       *tls.Config // nil: plaintext
	mechanism string      // empty: no SASL
	username  string
	password  []byte
	tokens    *proxy.TokenSource // for OAUTHBEARER, in place of user name and password
	passes    string             // name of the server whose clients are themselves by their tokens; empty: the gateway is, for all

	exchange *proxy.TokenExchange // of these tokens; nil: they are passed on as they are
}

func newUpstream(server string, p plan.Upstream) (*upstream, error) {
	u := &upstream{dialer: net.Dialer{Timeout: upstreamTimeout, KeepAlive: 30 * time.Second}}
	if p.TLS != nil {
		config, err := tlsconf.Client(tlsconf.ClientOptions{
			CA: p.TLS.CA, ServerName: p.TLS.ServerName, Certificate: p.TLS.Certificate, Key: p.TLS.Key})
		if err != nil {
			return nil, err
		}
		u.tls = config
	}
	switch p.Identity {
	case plan.IdentityToken, plan.IdentityExchanged:
		if server == "" || p.TLS == nil || p.SASL == nil || p.SASL.Token == nil {
			return nil, errors.New("tokens are passed on over TLS alone, by a gateway with a token of its own")
		}
		u.passes = server
	}
	if p.Identity == plan.IdentityExchanged {
		if p.Exchange == nil {
			return nil, errors.New("tokens are to be exchanged, and nothing says for what")
		}
		exchange, err := proxy.NewTokenExchange(p.Exchange)
		if err != nil {
			return nil, err
		}
		u.exchange = exchange
	}
	switch {
	case p.SASL == nil:
	case p.SASL.Token != nil:
		tokens, err := proxy.NewTokenSource(p.SASL.Token)
		if err != nil {
			return nil, err
		}
		u.mechanism, u.username, u.tokens = p.SASL.Mechanism, p.SASL.Token.ClientID, tokens
	default:
		password, err := proxy.ReadSecret(p.SASL.Password)
		if err != nil {
			return nil, err
		}
		u.mechanism, u.username, u.password = p.SASL.Mechanism, p.SASL.Username, password
	}
	return u, nil
}

// brokerConn is a connection to a broker on which the gateway has logged in.
type brokerConn struct {
	net.Conn
	reauthenticate time.Time // when the gateway should log in again; zero: never
	began, ends    time.Time // of the session at the broker; ends is zero if it lasts for ever
	again          bool      // the broker takes a second login
	shown          *shown    // what the login was made with; nil: the gateway is itself
}

// dial connects to a broker and logs in: with a client's token, or as the gateway if there is none. Whatever fails, the
// error says at which step and where.
func (u *upstream) dial(ctx context.Context, address string, s *shown) (*brokerConn, error) {
	ctx, cancel := context.WithTimeout(ctx, upstreamTimeout)
	defer cancel()
	conn, err := u.dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("cannot connect: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	b, err := u.secure(ctx, conn, address, s)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	if !stop() { // the deadline fell into the last moment
		_ = conn.Close()
		return nil, ctx.Err()
	}
	return b, b.SetDeadline(time.Time{})
}

// secure does what comes between the connection and the first request: TLS, and the gateway's login.
func (u *upstream) secure(ctx context.Context, conn net.Conn, address string, s *shown) (*brokerConn, error) {
	if u.tls != nil {
		config := u.tls
		if config.ServerName == "" {
			host, _, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			config = config.Clone()
			config.ServerName = host
		}
		secured := tls.Client(conn, config)
		if err := secured.HandshakeContext(ctx); err != nil {
			return nil, fmt.Errorf("TLS: %w", err)
		}
		conn = secured
	}
	b := &brokerConn{Conn: conn}
	if u.mechanism == "" {
		return b, nil
	}
	exchange := func(frame []byte) ([]byte, error) {
		if _, err := conn.Write(frame); err != nil {
			return nil, err
		}
		return readLoneFrame(conn, loginFrame)
	}
	lifetime, err := u.login(s, exchange)
	switch {
	case err != nil && s != nil && s.token.Exchanged():
		return nil, fmt.Errorf("login with the token that the client's was exchanged for: %w", err)
	case err != nil && s != nil:
		return nil, fmt.Errorf("login with the client's token: %w", err)
	case err != nil:
		return nil, fmt.Errorf("login as %q with %s: %w", u.username, u.mechanism, err)
	}
	b.shown = s
	b.renewAfter(lifetime)
	return b, nil
}

// due reports whether the gateway must log in again before it sends anything more.
func (b *brokerConn) due() bool {
	return !b.reauthenticate.IsZero() && time.Now().After(b.reauthenticate)
}

// renewAfter plans the next login: at 85 % of the lifetime, as Kafka's own clients do at 85 to 95 % (KIP-368), and two
// seconds before its end at least. The broker reads the login after the requests that are on their way to it, and ends the
// connection if one of these comes late: a machine that stands still for a second must not make it so. A session ends with a
// token that was exchanged, whatever the broker grants.
func (b *brokerConn) renewAfter(lifetime time.Duration) {
	b.reauthenticate, b.began, b.ends, b.again = time.Time{}, time.Now(), time.Time{}, lifetime > 0
	if b.shown != nil && !b.shown.ends.IsZero() {
		if left := max(b.shown.ends.Sub(b.began), time.Nanosecond); lifetime == 0 || left < lifetime {
			lifetime = left
		}
	}
	if lifetime > 0 {
		margin := max(lifetime*15/100, min(2*time.Second, lifetime/2))
		b.reauthenticate, b.ends = b.began.Add(lifetime-margin), b.began.Add(lifetime)
	}
}

// login runs a login over exchange, which sends a frame and returns the answer without its length: with a client's
// token, or the gateway's own if that is nil. It returns how long the broker grants the session; zero is without end.
func (u *upstream) login(s *shown, exchange func([]byte) ([]byte, error)) (time.Duration, error) {
	client, err := u.client(s)
	if err != nil {
		return 0, err
	}
	refused := func(err error) error {
		if err != nil && s != nil {
			return &tokenError{err}
		}
		return err
	}
	answer, err := exchange(newFrame(64).int16(keySaslHandshake).int16(1).int32(0).string(gatewayClientID).
		string(u.mechanism).finish())
	if err != nil {
		return 0, fmt.Errorf("the broker ended the connection at SaslHandshake: %w", err)
	}
	r := newParser(answer)
	r.int32()
	if code := r.int16(); !r.ok || code != codeNone {
		return 0, fmt.Errorf("the broker does not offer it (error %d)", code)
	}
	var challenge []byte
	var lifetime time.Duration
	for correlation := int32(1); ; correlation++ {
		out, done, err := client.Next(challenge)
		if err != nil || done { // an error here: the broker could not prove itself
			return lifetime, refused(err)
		}
		answer, err := exchange(newFrame(256).int16(keySaslAuthenticate).int16(1).int32(correlation).
			string(gatewayClientID).bytes(out).finish())
		if err != nil {
			return 0, fmt.Errorf("the broker ended the connection: %w", err)
		}
		if challenge, lifetime, err = parseSaslAuthenticateAnswer(answer); err != nil {
			return 0, refused(err)
		}
	}
}

// client begins a login. A client's token goes to the brokers of the server that it was shown to, and to no others; where
// tokens are exchanged, only the new one does.
func (u *upstream) client(s *shown) (sasl.Client, error) {
	if s != nil {
		text, ok := s.token.Reveal(u.passes)
		if !ok || u.passes == "" || u.tls == nil || s.token.Exchanged() != (u.exchange != nil) {
			return nil, errors.New("it must not be passed on here")
		}
		return sasl.NewTokenClient(text)
	}
	if u.tokens == nil {
		return sasl.NewClient(u.mechanism, u.username, u.password)
	}
	token, err := u.tokens.Token()
	if err != nil {
		return nil, err
	}
	return sasl.NewTokenClient(token)
}

// gatewayClientID is the client id of the gateway's own requests, in the brokers' logs and metrics.
const gatewayClientID = "asyncgate"
