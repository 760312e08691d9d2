// Package load makes the work of the benchmark: frames that are encoded once and sent over and over, so that what is
// measured is what stands between the loader and the broker, and not the making of records.
package load

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// depth is how many requests of a connection are under way at once: the default of the Java producer
// (max.in.flight.requests.per.connection).
const depth = 5

// readSize is how much is read from a connection at once.
const readSize = 256 << 10

// Moved is how much went through, and how long it took.
type Moved struct {
	Bytes int64 // of records
	Took  time.Duration
}

// Rate is in bytes a second.
func (m Moved) Rate() float64 { return float64(m.Bytes) / m.Took.Seconds() }

// Produce appends bytes to the topic, with a connection for every partition.
func Produce(ctx context.Context, target Target, topic Topic, bytes int64) (Moved, error) {
	records := batch()
	return each(ctx, target, topic, bytes, int64(len(records)), func(partition int32) []kmsg.Request {
		return []kmsg.Request{produce(topic, partition, records)}
	})
}

// Fetch reads bytes from the topic, which [Fill] has filled with so many batches a partition, with a connection for every
// partition. It reads them from the beginning again when it has come to the end.
func Fetch(ctx context.Context, target Target, topic Topic, batches int, bytes int64) (Moved, error) {
	size := len(batch())
	return each(ctx, target, topic, bytes, int64(size), func(partition int32) []kmsg.Request {
		requests := make([]kmsg.Request, batches)
		for i := range requests {
			requests[i] = fetch(topic, partition, int64(i)*recordsPerBatch, int32(size))
		}
		return requests
	})
}

// Fill gives every partition of a topic so many batches for [Fetch], and one more.
func Fill(ctx context.Context, target Target, topic Topic, batches int) error {
	_, err := Produce(ctx, target, topic, int64(batches)*int64(len(batch()))*int64(topic.Partitions))
	return err
}

// Records is how many records [Fill] makes, at least.
func Records(topic Topic, batches int) int { return batches * recordsPerBatch * int(topic.Partitions) }

// each runs a pipeline for every partition, all at once, and adds up.
func each(ctx context.Context, target Target, topic Topic, bytes, size int64, requests func(int32) []kmsg.Request) (Moved, error) {
	count := int(max(1, bytes/size/int64(topic.Partitions)))
	lines := make([]*pipeline, topic.Partitions)
	for i := range lines {
		c, err := Dial(ctx, target)
		if err != nil {
			return Moved{}, err
		}
		defer c.Close()
		lines[i] = newPipeline(c, requests(int32(i)))
		if err := lines[i].probe(size); err != nil {
			return Moved{}, err
		}
	}
	failed := make(chan error, len(lines))
	start := time.Now()
	for _, line := range lines {
		go func() { failed <- line.run(count) }()
	}
	var err error
	for range lines {
		err = errors.Join(err, <-failed)
	}
	return Moved{Bytes: int64(count) * size * int64(len(lines)), Took: time.Since(start)}, err
}

// pipeline sends frames on one connection, as many ahead of the answers as depth says.
type pipeline struct {
	conn     *Conn
	requests []kmsg.Request
	frames   [][]byte
	length   uint32 // of every answer
	buffer   []byte
}

func newPipeline(c *Conn, requests []kmsg.Request) *pipeline {
	p := &pipeline{conn: c, requests: requests, buffer: make([]byte, readSize)}
	for _, request := range requests {
		p.frames = append(p.frames, Frame(request))
	}
	return p
}

// probe sends the first frame and looks into its answer: all later ones must have its length, and so its success.
func (p *pipeline) probe(size int64) error {
	if _, err := p.conn.Write(p.frames[0]); err != nil {
		return err
	}
	var head [4]byte
	if _, err := io.ReadFull(p.conn, head[:]); err != nil {
		return err
	}
	p.length = binary.BigEndian.Uint32(head[:])
	body := make([]byte, p.length)
	if _, err := io.ReadFull(p.conn, body); err != nil {
		return err
	}
	answer, err := decode(p.requests[0], body)
	if err != nil {
		return err
	}
	switch answer := answer.(type) {
	case *kmsg.ProduceResponse:
		return check(answer.Topics[0].Partitions[0].ErrorCode)
	case *kmsg.FetchResponse:
		if err := errors.Join(check(answer.ErrorCode), check(answer.Topics[0].Partitions[0].ErrorCode)); err != nil {
			return err
		}
		if got := len(answer.Topics[0].Partitions[0].RecordBatches); int64(got) != size {
			return fmt.Errorf("fetched %d bytes of records instead of %d", got, size)
		}
		return nil
	}
	return fmt.Errorf("nobody looks into %T", answer)
}

// run sends count frames and reads their answers.
func (p *pipeline) run(count int) error {
	window, stop := make(chan struct{}, depth), make(chan struct{})
	sent := make(chan error, 1)
	go func() {
		err := p.send(window, stop, count)
		if err != nil {
			p.conn.Close() // no more answers will come
		}
		sent <- err
	}()
	err := p.receive(window, count)
	if err != nil {
		close(stop)
		p.conn.Close()
	}
	return errors.Join(err, <-sent)
}

func (p *pipeline) send(window chan<- struct{}, stop <-chan struct{}, count int) error {
	for i := range count {
		select {
		case window <- struct{}{}:
		case <-stop:
			return nil
		}
		if _, err := p.conn.Write(p.frames[i%len(p.frames)]); err != nil {
			return err
		}
	}
	return nil
}

func (p *pipeline) receive(window <-chan struct{}, count int) error {
	in := p.buffer[:0]
	var left uint32 // of the answer that is being read
	for answered := 0; answered < count; {
		n, err := p.conn.Read(p.buffer[len(in):])
		if err != nil {
			return err
		}
		in = p.buffer[:len(in)+n]
		for len(in) > 0 && answered < count {
			if left == 0 {
				if len(in) < 4 {
					break
				}
				if left = binary.BigEndian.Uint32(in); left != p.length {
					return fmt.Errorf("an answer has %d bytes, the first had %d", left, p.length)
				}
				in = in[4:]
			}
			part := min(left, uint32(len(in)))
			in, left = in[part:], left-part
			if left == 0 {
				answered++
				<-window
			}
		}
		in = p.buffer[:copy(p.buffer, in)]
	}
	return nil
}
