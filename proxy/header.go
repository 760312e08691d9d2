package proxy

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net/netip"

	"github.com/pires/go-proxyproto"
)

// Sizes of a PROXY protocol header, in bytes. The specification bounds version 1; in version 2 the addresses take 216 at
// most, and the rest is left for extensions, of which a TLS client certificate's names are the largest in use.
const (
	headerStart = 12 // signature of version 2; version 1 is at least 15 long
	headerV1Max = 107
	headerV2Fix = 16
	headerV2Max = 4 << 10
)

var (
	errNoHeader  = errors.New("no PROXY protocol header")
	errBadHeader = errors.New("malformed PROXY protocol header")
)

// readHeader reads the PROXY protocol header that a connection must begin with and returns the client it names; ok is
// false where it names none, because the proxy speaks for itself (LOCAL) or does not know (UNKNOWN). It reads no byte
// past the header: what follows belongs to TLS or to the protocol, and the connection must stay one that can be spliced.
func readHeader(conn io.Reader) (client netip.AddrPort, ok bool, err error) {
	raw, err := readRawHeader(conn)
	if err != nil {
		return netip.AddrPort{}, false, err
	}
	h, err := proxyproto.Read(bufio.NewReaderSize(bytes.NewReader(raw), len(raw)))
	if err != nil {
		return netip.AddrPort{}, false, errors.Join(errBadHeader, err)
	}
	if h.Command.IsLocal() {
		return netip.AddrPort{}, false, nil
	}
	if h.Version == 1 && !strictV1(raw) {
		return netip.AddrPort{}, false, errBadHeader
	}
	if _, err := h.TLVs(); err != nil {
		return netip.AddrPort{}, false, errors.Join(errBadHeader, err)
	}
	if h.TransportProtocol != proxyproto.TCPv4 && h.TransportProtocol != proxyproto.TCPv6 {
		return netip.AddrPort{}, false, errBadHeader
	}
	client = addressOf(h.SourceAddr)
	if a := client.Addr(); !a.IsValid() || a.IsUnspecified() || a.IsMulticast() {
		return netip.AddrPort{}, false, errBadHeader
	}
	return client, true, nil
}

// readRawHeader reads the bytes of a header and judges its length.
func readRawHeader(conn io.Reader) ([]byte, error) {
	b := make([]byte, headerStart, headerV1Max)
	if _, err := io.ReadFull(conn, b); err != nil {
		return nil, err
	}
	switch {
	case bytes.Equal(b, proxyproto.SIGV2):
		return readHeaderV2(conn, b)
	case bytes.HasPrefix(b, []byte("PROXY ")):
		return readHeaderV1(conn, b)
	}
	return nil, errNoHeader
}

// readHeaderV1 reads up to the line break, byte by byte so as not to read past it.
func readHeaderV1(conn io.Reader, b []byte) ([]byte, error) {
	for !bytes.HasSuffix(b, []byte("\n")) {
		if len(b) == headerV1Max {
			return nil, errBadHeader
		}
		b = b[:len(b)+1]
		if _, err := io.ReadFull(conn, b[len(b)-1:]); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// strictV1 refuses what the library lets pass: more fields than six, signed port numbers, IPv6 zones.
func strictV1(raw []byte) bool {
	return bytes.Count(raw, []byte(" ")) == 5 && !bytes.ContainsAny(raw, "+-%")
}

// readHeaderV2 reads the fixed part, and then what its length announces.
func readHeaderV2(conn io.Reader, b []byte) ([]byte, error) {
	var fixed [headerV2Fix]byte
	copy(fixed[:], b)
	if _, err := io.ReadFull(conn, fixed[headerStart:]); err != nil {
		return nil, err
	}
	n := headerV2Fix + int(binary.BigEndian.Uint16(fixed[headerV2Fix-2:]))
	if n > headerV2Max {
		return nil, errBadHeader
	}
	whole := make([]byte, n)
	copy(whole, fixed[:])
	_, err := io.ReadFull(conn, whole[headerV2Fix:])
	return whole, err
}
