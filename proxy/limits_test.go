package proxy_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/plan"
)

func TestConnectionLimits(t *testing.T) {
	for _, c := range []struct {
		code  string
		limit func(*plan.Limits)
	}{
		{"gateway-connections", func(l *plan.Limits) { l.Connections = 2 }},
		{"address-connections", func(l *plan.Limits) { l.PerAddress = 2 }},
		{"address-rate", func(l *plan.Limits) { l.AcceptRate = 2 }},
	} {
		t.Run(c.code, func(t *testing.T) {
			p := open()
			c.limit(&p.Limits)
			s := begin(t, p)
			for range 2 {
				s.dial().want("echo in", "in")
			}
			s.dial().closed()
			if r := s.audit(c.code); r["stage"] != "accept" {
				t.Errorf("refusal: %v", r)
			}
		})
	}
}

func TestAFreedConnectionMayBeTakenAgain(t *testing.T) {
	p := users()
	p.Limits.Connections, p.Limits.PerAddress, p.Limits.PerPrincipal = 1, 1, 1
	s := begin(t, p)
	for range 5 {
		c := s.dial()
		c.want("login alice", "welcome")
		c.Close()
		eventually(t, "the connection is gone", func() bool { return s.metric(`asyncgate_connections{server="main"}`) == 0 })
	}
}

func TestAPrincipalHasSoManyConnections(t *testing.T) {
	p := users()
	p.Limits.PerPrincipal = 2
	s := begin(t, p)
	clients := []*client{s.dial(), s.dial(), s.dial(), s.dial()}
	clients[0].want("login alice", "welcome")
	clients[1].want("login alice", "welcome")
	clients[2].want("login alice", "refused principal-connections")
	clients[3].want("login bob", "welcome")
	s.audit("principal-connections")
}

func TestExemptClientsHaveNoAddressLimits(t *testing.T) {
	p := users()
	p.Limits.PerAddress, p.Limits.AcceptRate = 1, 1
	p.Limits.ExemptClients = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	s := begin(t, p)
	for range 20 {
		c := s.dial()
		c.want("fail alice", "refused")
		c.closed()
	}
	s.dial().want("login alice", "welcome")
}

func TestFailedLoginsAreSlowedAndThenTheAddressIsRefused(t *testing.T) {
	s := begin(t, users())
	witness := s.dial()
	witness.want("login alice", "welcome")
	var took [9]time.Duration
	for i := range took {
		c, begun := s.dial(), time.Now()
		c.want(fmt.Sprint("fail alice", i), "refused")
		c.closed()
		took[i] = time.Since(begun)
	}
	for i, milliseconds := range []int{4: 100, 5: 200, 6: 400, 7: 800, 8: 1000} {
		if least := time.Duration(milliseconds) * time.Millisecond; took[i] < least {
			t.Errorf("refusal %d took %v, want %v", i+1, took[i], least)
		}
	}
	s.dial().closed()
	s.log.awaitAll(t, 1, "logger", "audit", "code", "address-blocked", "stage", "accept")
	witness.want("echo still here", "still here")
}
