package mqttload

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// PayloadSize of every message, in bytes.
const PayloadSize = 256

// Windows: how many messages of a pair are on their way at once. QoS 1 is bound by what Mosquitto takes and gives without
// an acknowledgement (max_inflight_messages, 20).
const (
	windowQoS0 = 256
	windowQoS1 = 20
)

// Pairs are publishers with a subscriber each, connected and subscribed.
type Pairs struct {
	qos   byte
	pairs []*pair
}

type pair struct {
	topic               string
	publisher           net.Conn
	subscriber          net.Conn
	publish             []byte // a whole PUBLISH
	size                int    // of it, and of what the subscriber gets
	payload, identifier int    // offsets in it
	received            atomic.Int64
	room                chan struct{} // has something after the subscriber has read
}

// Open connects pairs. Their messages have quality of service 0 or 1.
func Open(ctx context.Context, target Target, count int, qos byte) (_ *Pairs, err error) {
	p := &Pairs{qos: qos}
	defer func() {
		if err != nil {
			p.Close()
		}
	}()
	for i := range count {
		one := &pair{topic: fmt.Sprintf("bench/%04d", i), room: make(chan struct{}, 1)}
		p.pairs = append(p.pairs, one)
		if one.publisher, err = target.dial(ctx, fmt.Sprintf("bench-p-%d", i)); err != nil {
			return nil, err
		}
		if one.subscriber, err = target.dial(ctx, fmt.Sprintf("bench-s-%d", i)); err != nil {
			return nil, err
		}
		if err = one.subscribe(qos); err != nil {
			return nil, err
		}
		body := text(nil, one.topic)
		one.identifier = 3 + len(body) // behind a header with two bytes of length
		if qos > 0 {
			body = append(body, 0, 1)
		}
		one.payload = 3 + len(body)
		one.publish = packet(0x30|qos<<1, append(body, make([]byte, PayloadSize)...))
		one.size = len(one.publish)
	}
	return p, nil
}

func (p *pair) subscribe(qos byte) error {
	body := append(text([]byte{0, 1}, p.topic), qos)
	if _, err := p.subscriber.Write(packet(0x82, body)); err != nil {
		return err
	}
	_ = p.subscriber.SetReadDeadline(time.Now().Add(answerTimeout))
	var suback [5]byte
	if _, err := io.ReadFull(p.subscriber, suback[:]); err != nil {
		return err
	}
	if suback[0] != 0x90 || suback[4] != qos {
		return fmt.Errorf("SUBACK %x", suback)
	}
	return p.subscriber.SetReadDeadline(time.Time{})
}

// Close closes all connections.
func (p *Pairs) Close() {
	for _, one := range p.pairs {
		for _, c := range []net.Conn{one.publisher, one.subscriber} {
			if c != nil {
				c.Close()
			}
		}
	}
}

// Flood sends as much as goes through, for as long as duration, and returns how many messages arrived.
func (p *Pairs) Flood(ctx context.Context, duration time.Duration) (messages int64, took time.Duration, err error) {
	return p.run(ctx, duration, func(*pair, []byte) {}, func(stop <-chan struct{}) error {
		var group sync.WaitGroup
		failures := make([]error, len(p.pairs))
		for i, one := range p.pairs {
			group.Go(func() { failures[i] = one.flood(p.qos, stop) })
		}
		group.Wait()
		return errors.Join(failures...)
	})
}

// flood keeps the window of a pair full.
func (p *pair) flood(qos byte, stop <-chan struct{}) error {
	window := int64(windowQoS0)
	if qos > 0 {
		window = windowQoS1
	}
	const batch = 16
	buffer := make([]byte, 0, batch*p.size)
	start := p.received.Load()
	for sent := start; ; {
		room := window - (sent - p.received.Load())
		if room < min(batch, window/2) { // too full to be worth a call
			select {
			case <-stop:
				return nil
			case <-p.room:
			}
			continue
		}
		select {
		case <-stop:
			return nil
		default:
		}
		buffer = buffer[:0]
		for range min(room, batch) {
			if qos > 0 {
				binary.BigEndian.PutUint16(p.publish[p.identifier:], uint16(sent%60000)+1)
			}
			buffer = append(buffer, p.publish...)
			sent++
		}
		if _, err := p.publisher.Write(buffer); err != nil {
			return err
		}
	}
}

// Latency sends so many messages a second, over all pairs in turn, and returns how long they took: of half of them at
// most the first, of 99 in 100 the second.
func (p *Pairs) Latency(ctx context.Context, rate int, duration time.Duration) (half, most time.Duration, err error) {
	var mu sync.Mutex
	var took []time.Duration
	begin := time.Now()
	_, _, err = p.run(ctx, duration, func(one *pair, message []byte) {
		d := time.Since(begin) - time.Duration(binary.BigEndian.Uint64(message[one.payload:]))
		mu.Lock()
		took = append(took, d)
		mu.Unlock()
	}, func(stop <-chan struct{}) error {
		ticker := time.NewTicker(time.Second / time.Duration(rate))
		defer ticker.Stop()
		for i := 0; ; i++ {
			select {
			case <-stop:
				return nil
			case <-ticker.C:
			}
			one := p.pairs[i%len(p.pairs)]
			binary.BigEndian.PutUint64(one.publish[one.payload:], uint64(time.Since(begin)))
			if _, err := one.publisher.Write(one.publish); err != nil {
				return err
			}
		}
	})
	if err == nil && len(took) == 0 {
		err = errors.New("no message arrived")
	}
	if err != nil {
		return 0, 0, err
	}
	slices.Sort(took)
	return took[len(took)/2], took[len(took)*99/100], nil
}

// run has send at work for a while, with every subscriber reading, and returns how many messages arrived meanwhile.
func (p *Pairs) run(ctx context.Context, duration time.Duration, each func(*pair, []byte), send func(stop <-chan struct{}) error) (int64, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, duration+answerTimeout)
	defer cancel()
	stop, failed := make(chan struct{}), make(chan error, 2*len(p.pairs))
	var readers sync.WaitGroup
	for _, one := range p.pairs {
		readers.Go(func() { failed <- one.read(p.qos, each) })
		if p.qos > 0 {
			readers.Go(func() { failed <- discard(one.publisher) }) // PUBACKs
		}
	}
	sent := make(chan error, 1)
	begin, before := time.Now(), p.received()
	go func() { sent <- send(stop) }()
	var err error
	select {
	case <-time.After(duration):
	case err = <-failed:
	case <-ctx.Done():
		err = ctx.Err()
	}
	messages, took := p.received()-before, time.Since(begin)
	close(stop)
	err = errors.Join(err, <-sent)
	for _, one := range p.pairs { // ends the readers
		_ = one.publisher.SetReadDeadline(time.Unix(1, 0))
		_ = one.subscriber.SetReadDeadline(time.Unix(1, 0))
	}
	readers.Wait()
	return messages, took, err
}

func (p *Pairs) received() (all int64) {
	for _, one := range p.pairs {
		all += one.received.Load()
	}
	return all
}

// read counts what comes, and acknowledges it.
func (p *pair) read(qos byte, each func(*pair, []byte)) error {
	in := bufio.NewReaderSize(p.subscriber, 64<<10)
	var acks []byte
	for {
		message, err := in.Peek(p.size)
		if err != nil {
			return stopped(err)
		}
		if message[0] != p.publish[0] {
			return fmt.Errorf("%x instead of a message", message[:3])
		}
		if qos > 0 {
			acks = append(acks, 0x40, 2, message[p.identifier], message[p.identifier+1])
		}
		each(p, message)
		_, _ = in.Discard(p.size)
		p.received.Add(1)
		if in.Buffered() >= p.size {
			continue
		}
		select {
		case p.room <- struct{}{}:
		default:
		}
		if len(acks) > 0 {
			if _, err := p.subscriber.Write(acks); err != nil {
				return err
			}
			acks = acks[:0]
		}
	}
}

func discard(c net.Conn) error {
	_, err := io.Copy(io.Discard, c)
	return stopped(err)
}

// stopped turns the deadline that ends a reader into no error.
func stopped(err error) error {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return nil
	}
	return err
}
