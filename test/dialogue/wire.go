package dialogue

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// handshake does the TLS handshake.
func (p *player) handshake(ctx context.Context) (refused bool, err error) {
	certificate := p.expected.TLS["certificate"]
	config, err := p.target.TLS(certificate)
	if err != nil {
		return false, err
	}
	switch version := p.expected.TLS["max"]; version {
	case "":
	case "1.1":
		config.MinVersion, config.MaxVersion = tls.VersionTLS11, tls.VersionTLS11
	case "1.2":
		config.MaxVersion = tls.VersionTLS12
	default:
		return false, fmt.Errorf("TLS %s is not known here", version)
	}
	if shown := config.Certificates; len(shown) > 0 { // also to a server that asks for those of other authorities
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &shown[0], nil }
	}
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(p.raw.RemoteAddr().String())
	}
	if name, ok := p.expected.TLS["name"]; ok {
		config.ServerName, config.InsecureSkipVerify = name, true // how the server takes the name is the question
	}
	if protocol, ok := p.expected.TLS["alpn"]; ok {
		config.NextProtos = []string{protocol}
	}
	raw := p.raw
	if size, err := strconv.Atoi(p.expected.TLS["fragment"]); err == nil {
		raw = &fragmenting{Conn: raw, size: size}
	}
	secured := tls.Client(raw, config)
	ctx, cancel := context.WithTimeout(ctx, p.patience.Expected)
	defer cancel()
	if err := secured.HandshakeContext(ctx); err != nil {
		return true, nil
	}
	p.conn = secured
	return false, nil
}

// mark begins the measurement.
func (p *player) mark() {
	p.result.Sent = 0
	if p.target.Mark != nil {
		p.target.Mark()
	}
}

func (p *player) write() {
	b, size := p.held, len(p.held)
	if p.slowly {
		size = 1
	}
	pause := p.pause
	p.held, p.slowly, p.pause = nil, false, 0
	p.result.Sent += len(b)
	_ = p.conn.SetWriteDeadline(time.Now().Add(p.patience.Expected))
	for len(b) > 0 {
		n, err := p.conn.Write(b[:min(size, len(b))])
		if err != nil {
			return
		}
		b = b[n:]
		if pause > 0 {
			<-time.After(pause)
		}
	}
	p.sent = time.Now()
}

// closeWrite ends the sending direction. If the server has closed both already, reading will tell.
func (p *player) closeWrite() {
	if c, ok := p.conn.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite()
	}
}

// read reads one frame.
func (p *player) read(wait time.Duration) ([]byte, error) {
	_ = p.conn.SetReadDeadline(time.Now().Add(wait))
	var length [4]byte
	if _, err := io.ReadFull(p.conn, length[:]); err != nil {
		return nil, err
	}
	n := int32(binary.BigEndian.Uint32(length[:]))
	if n < 0 || n > maxAnswer {
		return nil, fmt.Errorf("an answer of %d bytes", n)
	}
	b := make([]byte, n)
	_, err := io.ReadFull(p.conn, b)
	return b, err
}
