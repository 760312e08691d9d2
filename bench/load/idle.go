package load

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// openWorkers is how many idle connections are opened at once.
const openWorkers = 8

// Idle opens connections, has a request answered on each, so that everything behind it has been set up, and leaves them
// open. close closes them.
func Idle(ctx context.Context, target Target, request kmsg.Request, count int) (closeAll func(), err error) {
	opened := make(chan *Conn, count)
	closeAll = func() {
		for len(opened) > 0 {
			(<-opened).Close()
		}
	}
	failed := make(chan error, openWorkers)
	for worker := range openWorkers {
		go func() {
			var err error
			for i := worker; i < count && err == nil; i += openWorkers {
				var c *Conn
				if c, err = Dial(ctx, target); err != nil {
					break
				}
				opened <- c
				_, err = c.ask(request)
			}
			failed <- err
		}()
	}
	for range openWorkers {
		err = errors.Join(err, <-failed)
	}
	if err != nil {
		closeAll()
		return nil, err
	}
	return closeAll, nil
}

// warmTrips go before those that are measured.
const warmTrips = 500

// RoundTrip asks the same request over and over, one at a time, and returns the average time to its answer.
func RoundTrip(ctx context.Context, target Target, request kmsg.Request, count int) (time.Duration, error) {
	c, err := Dial(ctx, target)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	if _, err := c.ask(request); err != nil {
		return 0, err
	}
	frame := Frame(request)
	var start time.Time
	for i := range warmTrips + count {
		if i == warmTrips {
			start = time.Now()
		}
		if _, err := c.Write(frame); err != nil {
			return 0, err
		}
		if _, err := c.answer(); err != nil {
			return 0, err
		}
	}
	return time.Since(start) / time.Duration(count), nil
}
