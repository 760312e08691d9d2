package mqttload

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// workers is how many clients connect at once; a few for each processor keep all of them busy.
const workers = 16

// clients counts client ids: every connection has one of its own.
var clients atomic.Int64

// Connects connects, logs in, disconnects and closes, over and over with many clients at once for as long as duration. It
// returns how many did so in a second; TLS sessions are not resumed.
func Connects(ctx context.Context, target Target, duration time.Duration) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, duration+answerTimeout)
	defer cancel()
	var group sync.WaitGroup
	var count atomic.Int64
	failures := make([]error, workers)
	start := time.Now()
	for worker := range workers {
		group.Go(func() {
			for time.Since(start) < duration && failures[worker] == nil {
				failures[worker] = once(ctx, target)
				count.Add(1)
			}
		})
	}
	group.Wait()
	return float64(count.Load()) / time.Since(start).Seconds(), errors.Join(failures...)
}

func once(ctx context.Context, target Target) error {
	c, err := target.dial(ctx, fmt.Sprintf("bench-c-%d", clients.Add(1)))
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.Write([]byte{0xe0, 0}) // DISCONNECT
	return err
}

// Idle opens connections that have logged in and do nothing. closeAll closes them.
func Idle(ctx context.Context, target Target, count int) (closeAll func(), err error) {
	opened := make(chan net.Conn, count)
	closeAll = func() {
		for len(opened) > 0 {
			(<-opened).Close()
		}
	}
	failed := make(chan error, workers)
	for worker := range workers {
		go func() {
			var err error
			for i := worker; i < count && err == nil; i += workers {
				var c net.Conn
				if c, err = target.dial(ctx, fmt.Sprintf("bench-i-%d", clients.Add(1))); err == nil {
					opened <- c
				}
			}
			failed <- err
		}()
	}
	for range workers {
		err = errors.Join(err, <-failed)
	}
	if err != nil {
		closeAll()
		return nil, err
	}
	return closeAll, nil
}
