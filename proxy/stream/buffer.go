package stream

import "sync"

// The sizes of a buffer, in bytes. A Chunk is large enough that one read and one write carry many small packets, and
// small enough that a thousand busy connections cost 128 MiB. Before authentication a Sip must do: a login's messages
// fit, and strangers cost little.
const (
	Chunk = 64 << 10
	Sip   = 4 << 10
)

// big is the buffer for bytes that pass where TLS is on a side: sixteen TLS records.
const big = 256 << 10

var (
	chunks = sync.Pool{New: func() any { return new([Chunk]byte) }}
	sips   = sync.Pool{New: func() any { return new([Sip]byte) }}
	bigs   = sync.Pool{New: func() any { return new([big]byte) }}
)

func getBuffer(size int) []byte {
	if size == Sip {
		return sips.Get().(*[Sip]byte)[:]
	}
	return chunks.Get().(*[Chunk]byte)[:]
}

// putBuffer gives a buffer back. One that had to grow is left to the garbage collector: it was for one packet.
func putBuffer(p []byte) {
	switch len(p) {
	case Sip:
		sips.Put((*[Sip]byte)(p))
	case Chunk:
		chunks.Put((*[Chunk]byte)(p))
	}
}
