package mqtt

import "sync"

// ids is a bounded set of packet identifiers. Both pumps may use it.
type ids struct {
	mu   sync.Mutex
	most int
	set  map[uint16]struct{} // nil while nobody has needed it
}

// add puts an identifier in, which may be in already. False: there are as many as may be.
func (s *ids) add(id uint16) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, in := s.set[id]; in {
		return true
	}
	if len(s.set) >= s.most {
		return false
	}
	if s.set == nil {
		s.set = make(map[uint16]struct{})
	}
	s.set[id] = struct{}{}
	return true
}

// remove takes an identifier out, and reports whether it was in.
func (s *ids) remove(id uint16) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, in := s.set[id]
	delete(s.set, id)
	return in
}
