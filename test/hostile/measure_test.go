package hostile_test

import (
	"runtime/metrics"
	"time"

	"github.com/asyncgate/asyncgate/test/dialogue"
)

// cost is what a vector cost the process, the client's side of it included.
type cost struct {
	allocated uint64 // bytes
	cpu       time.Duration
}

// used is what the process has used so far.
func used() cost {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return cost{sample[0].Value.Uint64(), cpuTime()}
}

// measure has a vector with the gateway several times and returns the least that it cost: the gateway's watch of the
// cluster, the collector and the other side of the test cost something too, but not every time.
func (s *stage) measure(name string, v vector) cost {
	var least cost
	for try := range costTries {
		before := resources()
		var from cost
		s.target.Mark = func() { from = used() }
		r := s.play(name, v, dialogue.Patience{Expected: patience, Unexpected: 5 * time.Millisecond})
		s.target.Mark = nil
		if r == nil {
			return least
		}
		settle(before) // until the gateway has done all that it does about it
		to := used()
		one := cost{to.allocated - from.allocated, to.cpu - from.cpu}
		if try == 0 {
			least = one
		}
		least.allocated, least.cpu = min(least.allocated, one.allocated), min(least.cpu, one.cpu)
		if least.allocated <= uint64(costBytes*r.Sent)+costFree && least.cpu <= costCPU {
			break
		}
	}
	s.gateway.Log.Forget()
	s.canary.Forget()
	return least
}
