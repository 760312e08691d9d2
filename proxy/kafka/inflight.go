package kafka

import (
	"slices"
	"sync"
)

// maxInFlight bounds the requests of one connection that wait for an answer. Clients keep five (producers) or so; a
// broker itself answers one at a time.
const maxInFlight = 1000

// maxInFlightBytes bounds the answers of the gateway's own that wait behind the broker's.
const maxInFlightBytes = 4 << 20

// request is one request that an answer is owed for.
type request struct {
	correlation int32
	key         int16
	version     int16
	local       []byte   // the gateway's own answer, as a whole frame; nil: the broker answers
	change      merger   // of the broker's answer; nil: none
	opens       *fetched // the session that the answer opens; nil: none
	own         bool     // a request of the gateway's own: the client never sees the answer
}

// merger makes the answer that the client gets of the payload of the broker's. The result is a complete frame.
type merger interface {
	Merge(payload []byte) (frame []byte, err error)
}

// inflight is the queue of requests that an answer is owed for, in the order in which a client must see the answers.
//
// Bytes to the client are written by whoever owns the moment: the goroutine of responses while the queue is not empty,
// the goroutine of requests while it is. That holds because a request leaves the queue only after its answer has been
// written.
type inflight struct {
	mu      sync.Mutex
	changed sync.Cond
	queue   []request
	head    int
	bytes   int // of local answers in the queue
	closed  bool
}

func (f *inflight) init() { f.changed.L = &f.mu }

func (f *inflight) size() int { return len(f.queue) - f.head }

// push appends a request that goes to the broker. It waits while the queue is full, and reports false once it is closed.
func (f *inflight) push(r request) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.append(r)
}

// pushLocal appends an answer of the gateway's own, unless nothing is owed before it: then it reports direct, and the
// caller writes the answer itself before it pushes anything else. It reports not ok once the queue is closed.
func (f *inflight) pushLocal(answer []byte) (direct, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.size() == 0 {
		return true, !f.closed
	}
	return false, f.append(request{local: answer})
}

func (f *inflight) append(r request) bool {
	for !f.closed && (f.size() >= maxInFlight || f.bytes > maxInFlightBytes) {
		f.changed.Wait()
	}
	if f.closed {
		return false
	}
	f.queue = append(f.queue, r)
	f.bytes += len(r.local)
	return true
}

// front returns the oldest request that an answer is owed for.
func (f *inflight) front(skip int) (r request, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.size() <= skip {
		return request{}, false
	}
	return f.queue[f.head+skip], true
}

// pop drops the n oldest requests: their answers have been written.
func (f *inflight) pop(n int) {
	f.mu.Lock()
	for range n {
		f.bytes -= len(f.queue[f.head].local)
		f.queue[f.head] = request{}
		f.head++
	}
	if f.head == len(f.queue) {
		f.head = 0
		if cap(f.queue) > 16 {
			f.queue = nil // an idle connection keeps nothing
		} else {
			f.queue = f.queue[:0]
		}
	} else if f.head > 64 && f.head > len(f.queue)/2 {
		f.queue = slices.Delete(f.queue, 0, f.head)
		f.head = 0
	}
	f.mu.Unlock()
	f.changed.Broadcast()
}

// waiting reports whether the client still waits for a broker.
func (f *inflight) waiting() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.closed && f.size() > 0
}

// full reports whether push would wait.
func (f *inflight) full() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.size() >= maxInFlight || f.bytes > maxInFlightBytes
}

// wait blocks until nothing is owed any more, or the queue is closed.
func (f *inflight) wait() {
	f.mu.Lock()
	for !f.closed && f.size() > 0 {
		f.changed.Wait()
	}
	f.mu.Unlock()
}

// close ends every wait.
func (f *inflight) close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.changed.Broadcast()
}
