package proxy

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"go.uber.org/zap"
)

// admin serves metrics and health, in plaintext and to whoever can reach its address: bind it to loopback or to a
// network of one's own.
//
//	/metrics   Prometheus text format
//	/livez     200 as long as the process answers
//	/observed  JSON: what enforce: observe has seen that would be denied
//	/readyz    200 from when every socket accepts until the drain begins, 503 before and after
type admin struct {
	gateway *Gateway

	mu      sync.Mutex
	ready   bool // accept loops run
	want    string
	bound   net.Listener // nil: not served
	server  *http.Server
	serving sync.WaitGroup
}

// adminChange is what a new plan makes of the admin address.
type adminChange struct {
	same     bool
	want     string
	listener net.Listener
}

// listen binds the address that a plan wants, unless it is bound already.
func (a *admin) listen(addr string) (*adminChange, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if addr == a.want {
		return &adminChange{same: true}, nil
	}
	if addr == "" {
		return &adminChange{}, nil
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &adminChange{want: addr, listener: l}, nil
}

// discard forgets a change that is not made.
func (a *admin) discard(c *adminChange) {
	if c != nil && c.listener != nil {
		_ = c.listener.Close()
	}
}

// swap makes a change.
func (a *admin) swap(c *adminChange) {
	if c.same {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.close()
	a.want, a.bound = c.want, c.listener
	if a.ready {
		a.serve()
	}
}

// run begins to serve.
func (a *admin) run() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ready = true
	a.serve()
}

func (a *admin) serve() {
	if a.bound == nil {
		return
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", a.gateway.metricsHandler())
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "live") })
	mux.HandleFunc("GET /readyz", a.readyz)
	mux.HandleFunc("GET /observed", a.gateway.observed.serve)
	a.server = &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second, // as long as a scrape takes at most
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    8 << 10,
		ErrorLog:          zap.NewStdLog(a.gateway.log.Named("admin")),
	}
	server, listener := a.server, a.bound
	a.serving.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			a.gateway.log.Error("metrics and health are not served any more", zap.Error(err))
		}
	})
}

func (a *admin) readyz(w http.ResponseWriter, _ *http.Request) {
	select {
	case <-a.gateway.draining:
		answer(w, http.StatusServiceUnavailable, "draining")
	default:
		answer(w, http.StatusOK, "ready")
	}
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n"))
}

// addr is what the admin address is bound to; empty: nothing.
func (a *admin) addr() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.bound == nil {
		return ""
	}
	return a.bound.Addr().String()
}

// stop ends the service for good.
func (a *admin) stop() {
	a.mu.Lock()
	a.close()
	a.mu.Unlock()
	a.serving.Wait()
}

// close closes what is bound, and lets answers that have begun be finished.
func (a *admin) close() {
	if a.server != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if a.server.Shutdown(ctx) != nil {
			_ = a.server.Close()
		}
	} else if a.bound != nil {
		_ = a.bound.Close()
	}
	a.server, a.bound = nil, nil
}
