package load

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// clientID is how the loader names itself to brokers.
const clientID = "asyncgate-bench"

// Target is where connections go and what they prove there.
type Target struct {
	Address string      // host:port
	TLS     *tls.Config // nil for none
	Login   *Login      // nil for none
}

// Conn is one connection to a broker, or to what stands in front of it.
type Conn struct {
	net.Conn

	reader *bufio.Reader // for small answers only
	format *kmsg.RequestFormatter
	asked  int32
}

// Dial connects and authenticates.
func Dial(ctx context.Context, target Target) (*Conn, error) {
	var dialer net.Dialer
	raw, err := dialer.DialContext(ctx, "tcp", target.Address)
	if err != nil {
		return nil, err
	}
	if deadline, set := ctx.Deadline(); set {
		_ = raw.SetDeadline(deadline)
	}
	if target.TLS != nil {
		secured := tls.Client(raw, target.TLS)
		if err := secured.HandshakeContext(ctx); err != nil {
			raw.Close()
			return nil, err
		}
		raw = secured
	}
	// 512 bytes hold every small answer; two thousand idle connections are opened from here, too.
	c := &Conn{Conn: raw, reader: bufio.NewReaderSize(raw, 512), format: kmsg.NewRequestFormatter(kmsg.FormatterClientID(clientID))}
	if target.Login != nil {
		if err := target.Login.run(c); err != nil {
			raw.Close()
			return nil, fmt.Errorf("login: %w", err)
		}
	}
	return c, nil
}

// Frame encodes a request, length and header included.
func Frame(request kmsg.Request) []byte {
	return kmsg.NewRequestFormatter(kmsg.FormatterClientID(clientID)).AppendRequest(nil, request, 1)
}

// ask sends a request and decodes its answer, which must be small.
func (c *Conn) ask(request kmsg.Request) (kmsg.Response, error) {
	c.asked++
	if _, err := c.Write(c.format.AppendRequest(nil, request, c.asked)); err != nil {
		return nil, err
	}
	body, err := c.answer()
	if err != nil {
		return nil, err
	}
	return decode(request, body)
}

// answer reads one small response: everything after its length.
func (c *Conn) answer() ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(c.reader, head[:]); err != nil {
		return nil, err
	}
	length := binary.BigEndian.Uint32(head[:])
	if length > 64<<10 {
		return nil, fmt.Errorf("answer of %d bytes to a small request", length)
	}
	body := make([]byte, length)
	_, err := io.ReadFull(c.reader, body)
	return body, err
}

// decode decodes a response, given without its length.
func decode(request kmsg.Request, body []byte) (kmsg.Response, error) {
	if len(body) < 5 {
		return nil, errors.New("answer is too short")
	}
	body = body[4:] // the correlation id
	// SaslHandshake aside, which is never flexible, every request here has a flexible version; the header then ends with
	// tags, and nobody sends any.
	if request.IsFlexible() {
		body = body[1:]
	}
	response := request.ResponseKind()
	response.SetVersion(request.GetVersion())
	return response, response.ReadFrom(body)
}

// check makes an error of a Kafka error code.
func check(code int16) error { return kerr.ErrorForCode(code) }
