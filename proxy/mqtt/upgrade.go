package mqtt

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/coder/websocket"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/policy"
	"github.com/asyncgate/asyncgate/proxy"
	"github.com/asyncgate/asyncgate/proxy/mqtt/wire"
	"github.com/asyncgate/asyncgate/sasl"
)

// maxRequest bounds the head of an HTTP request or answer, in bytes: browsers and proxies stay below 8 KiB.
const maxRequest = 16 << 10

// challenges ask for what the server takes in an HTTP request: Basic (RFC 7617), Bearer (RFC 6750 section 3). Why a token was
// refused is not told.
func challenges(state *proxy.State, why *sasl.Reject) []string {
	var list []string
	if state.Takes(sasl.Basic) {
		list = append(list, `Basic realm="asyncgate", charset="UTF-8"`)
	}
	switch {
	case state.Takes(sasl.Header) && why.Mechanism == sasl.Header:
		list = append(list, `Bearer realm="asyncgate", error="invalid_token"`)
	case state.Takes(sasl.Header):
		list = append(list, `Bearer realm="asyncgate"`)
	}
	if len(list) == 0 { // a 401 has to have one (RFC 9110 section 11.6.1), and keys have none of their own
		list = append(list, `ApiKey realm="asyncgate"`)
	}
	return list
}

// upgrade lets the client open a WebSocket, after which the connection's bytes are those inside it. False: the client has
// been refused, or has left with the error.
func (c *connection) upgrade(ctx context.Context) (bool, error) {
	limited := &io.LimitedReader{R: c.session.Conn, N: maxRequest}
	in := bufio.NewReader(limited)
	request, err := http.ReadRequest(in)
	out := &response{conn: c.session.Conn, in: in, header: make(http.Header)}
	switch {
	case err == nil && request.ProtoMajor == 1:
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, io.EOF) && limited.N == maxRequest:
		return false, unlessLeft(err)
	case limited.N <= 0:
		return false, c.turnAway(ctx, out, http.StatusRequestHeaderFieldsTooLarge, "http-request", "an HTTP request whose head has more than 16 KiB")
	default:
		// The library would quote what it has read, and that may be a CONNECT with a password.
		return false, c.turnAway(ctx, out, http.StatusBadRequest, "http-request", "no HTTP request")
	}
	limited.N = math.MaxInt64
	if path := c.server.MQTT.Path; path != "" && request.URL.Path != path {
		return false, c.turnAway(ctx, out, http.StatusNotFound, "websocket-path", "the path is not "+path)
	}
	if !offers(request) {
		return false, c.turnAway(ctx, out, http.StatusBadRequest, "websocket-protocol", "the client offers neither the sub-protocol mqtt nor mqttv3.1")
	}
	if reject := c.authorize(ctx, request); reject != nil {
		c.session.Refuse(ctx, reject)
		if code := refusalCode(reject); code == wire.ServerUnavailable || code == wire.ServerBusy {
			return false, out.finish(http.StatusServiceUnavailable) // nothing is wrong with what the client has brought
		}
		for _, challenge := range challenges(c.session.State, reject) {
			out.header.Add("WWW-Authenticate", challenge)
		}
		return false, out.finish(http.StatusUnauthorized)
	}
	ws, err := websocket.Accept(out, request, &websocket.AcceptOptions{
		Subprotocols:   []string{subprotocol, subprotocol31},
		OriginPatterns: c.server.MQTT.Origins,
	})
	switch {
	case err == nil:
	case out.status == http.StatusForbidden:
		return false, c.turnAway(ctx, out, out.status, "websocket-origin", err.Error())
	case out.status != http.StatusSwitchingProtocols:
		return false, c.turnAway(ctx, out, out.status, "websocket-upgrade", err.Error())
	default:
		return false, err
	}
	c.through(newWebSocket(ws, c.session.Conn))
	return true, nil
}

// offers reports whether a client offers a sub-protocol of MQTT: without, a client must not be answered (RFC 6455 section
// 4.2.2), and could be anything.
func offers(r *http.Request) bool {
	for _, line := range r.Header.Values("Sec-WebSocket-Protocol") {
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.ToLower(strings.TrimSpace(name)); name == subprotocol || name == subprotocol31 {
				return true
			}
		}
	}
	return false
}

// keyOf is the first key that a request has in one of these places; empty: it has none.
func keyOf(r *http.Request, places []plan.Requirement) (place, key string) {
	for _, p := range places {
		var values []string
		switch p.In {
		case "header":
			values = r.Header.Values(p.Name)
		case "query":
			values = r.URL.Query()[p.Name]
		case "cookie":
			for _, cookie := range r.CookiesNamed(p.Name) {
				values = append(values, cookie.Value)
			}
		}
		if len(values) == 1 && values[0] != "" { // two are none
			return sasl.KeyPlace(p.In, p.Name), values[0]
		}
	}
	return "", ""
}

// authorize verifies what the request brings where the server takes it: user name and password, a token, or a key. Who brings
// none may still log in with CONNECT, if there is another way.
func (c *connection) authorize(ctx context.Context, r *http.Request) *sasl.Reject {
	state := c.session.State
	keys := state.HTTPKeys()
	if !state.Takes(sasl.Basic) && !state.Takes(sasl.Header) && len(keys) == 0 {
		return nil
	}
	place, key := keyOf(r, keys)
	user, password, isBasic := r.BasicAuth()
	token, isBearer := bearer(r)
	var step sasl.Step
	switch {
	case place != "":
		step = sasl.VerifyKey(state.Directory, place, key)
	case isBasic && state.Takes(sasl.Basic):
		step = state.LogIn(ctx, sasl.Basic, user, []byte(password), c.peer())
	case isBearer && state.Takes(sasl.Header):
		step = state.LogIn(ctx, sasl.Header, "", []byte(token), c.peer())
	default:
		if _, reject := policy.Admit(state.Server, c.session.Certificate, nil); reject != nil &&
			len(state.Mechanisms) == 0 && !state.Takes(sasl.Password) {
			return reject
		}
		return nil
	}
	c.login = step.Principal
	return step.Reject
}

// bearer is the token of a request (RFC 6750 section 2.1). Two credentials are none.
func bearer(r *http.Request) (token string, ok bool) {
	lines := r.Header.Values("Authorization")
	if len(lines) != 1 {
		return "", false
	}
	scheme, token, ok := strings.Cut(lines[0], " ")
	return strings.TrimLeft(token, " "), ok && strings.EqualFold(scheme, "Bearer")
}

// turnAway refuses a client that has not opened a WebSocket.
func (c *connection) turnAway(ctx context.Context, out *response, status int, code, private string) error {
	c.session.Refuse(ctx, &sasl.Reject{Stage: sasl.StageHandshake, Code: code, Private: private})
	return out.finish(status)
}

// response answers the one request of a connection. Refusals have constant text, whatever is written to it.
type response struct {
	conn   net.Conn
	in     *bufio.Reader
	header http.Header
	status int
}

// Header is of [http.ResponseWriter], like Write and WriteHeader.
func (r *response) Header() http.Header { return r.header }

func (r *response) Write(p []byte) (int, error) { return len(p), nil }

func (r *response) WriteHeader(status int) { r.status = status }

// Hijack is of [http.Hijacker]: it sends the head of the answer, after which the connection is the caller's.
func (r *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 101 Switching Protocols\r\n")
	if err := r.header.Write(&b); err != nil {
		return nil, nil, err
	}
	b.WriteString("\r\n")
	if _, err := r.conn.Write(b.Bytes()); err != nil {
		return nil, nil, err
	}
	return r.conn, bufio.NewReadWriter(r.in, bufio.NewWriter(r.conn)), nil
}

// finish sends a refusal.
func (r *response) finish(status int) error {
	text := http.StatusText(status) + "\n"
	r.header.Set("Content-Type", "text/plain; charset=utf-8")
	answer := http.Response{StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: r.header, Close: true,
		ContentLength: int64(len(text)), Body: io.NopCloser(strings.NewReader(text))}
	_ = answer.Write(r.conn) // the client may have left; the refusal is recorded
	return nil
}
