//go:build !unix

package stream

// initRaw leaves the wait to net.Conn: it costs nothing but the one byte that await reads first.
func (s *Stream) initRaw() {}

func (s *Stream) awaitRaw() error { panic("unreachable: raw is never set here") }
