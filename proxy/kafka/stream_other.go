//go:build !unix

package kafka

// initRaw leaves the wait to net.Conn: it costs nothing but the one byte that await reads first.
func (s *stream) initRaw() {}

func (s *stream) awaitRaw() error { panic("unreachable: raw is never set here") }
