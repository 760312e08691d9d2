package stream

import "io"

// Take returns the next n bytes as one slice, and consumes them. What fits the buffer is a view of it, valid until the
// next call of any other method; the rest is memory that grows as bytes arrive, never to more than twice of them.
func (s *Stream) Take(n int) ([]byte, error) {
	if n <= s.size {
		for s.w-s.r < n {
			if err := s.Fill(s.size); err != nil { // not FillOn: n may be 1, and no more may come
				return nil, err
			}
		}
		p := s.buf[s.r : s.r+n]
		s.r += n // the buffer stays until the next Fill, so that p stays valid
		return p, nil
	}
	p := append(make([]byte, 0, min(n, max(s.size, 2*(s.w-s.r)))), s.Bytes()...)
	s.Release()
	return ReadRest(s.conn, p, n)
}

// ReadRest reads on from r until p has n bytes. The capacity of p doubles as they arrive: what is allocated in all is at
// most four times what has arrived, or twice the capacity at first, which must not be zero.
func ReadRest(r io.Reader, p []byte, n int) ([]byte, error) {
	for len(p) < n {
		if len(p) == cap(p) {
			p = append(make([]byte, 0, min(n, 2*cap(p))), p...)
		}
		m, err := r.Read(p[len(p):cap(p)])
		p = p[:len(p)+m]
		if err != nil && len(p) < n {
			return nil, err
		}
	}
	return p, nil
}
