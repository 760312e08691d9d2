package dialogue

import (
	"encoding/binary"
	"net"
)

// fragmenting cuts the first TLS record that it writes, the ClientHello, into records of a few bytes each. RFC 8446
// section 5.1 allows it, and servers that look into the first record only have taken other decisions because of it.
type fragmenting struct {
	net.Conn
	size int
	done bool
}

// recordHeader is type, version and length of a TLS record.
const recordHeader = 5

func (f *fragmenting) Write(b []byte) (int, error) {
	if f.done || len(b) < recordHeader {
		return f.Conn.Write(b)
	}
	f.done = true
	var cut []byte
	for payload := b[recordHeader:]; len(payload) > 0; {
		n := min(f.size, len(payload))
		cut = binary.BigEndian.AppendUint16(append(cut, b[:3]...), uint16(n))
		cut = append(cut, payload[:n]...)
		payload = payload[n:]
	}
	if _, err := f.Conn.Write(cut); err != nil {
		return 0, err
	}
	return len(b), nil
}
