package hostile_test

import (
	"net"
	"sync"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/plan"
)

// TestEveryStageOfMQTTHasADeadline has clients stop, or drip, wherever they can, all at the same time.
func TestEveryStageOfMQTTHasADeadline(t *testing.T) {
	s := newMQTTStage(t, func(p *plan.Plan) { p.Limits.Handshake, p.Limits.Idle = handshake, idle })
	before := calm()
	var clients sync.WaitGroup
	all := mqttVectors(t, "mqtt-deadlines")
	for _, v := range all {
		clients.Go(func() {
			began := time.Now()
			conn, err := net.Dial("tcp", s.gateway.Addresses[v.on])
			if err != nil {
				t.Error(err)
				return
			}
			r, err := v.play(conn, idle+2*tolerance, nil, nil)
			if err != nil {
				t.Errorf("%s: %v", v.name, err)
				return
			}
			took, limit := time.Since(began), handshake+tolerance
			if v.upstream != "" {
				limit = idle + tolerance
			}
			if got, want := r.transcript(), v.transcript(); got != want {
				t.Errorf("%s: it should go\n%sand went\n%s", v.name, want, got)
			}
			if took > limit || took < handshake {
				t.Errorf("%s: ended after %v, the login has %v and an idle connection %v", v.name, took, handshake, idle)
			}
			s.expectAudits(v.name, v, r)
		})
	}
	clients.Wait()
	if !settle(before) {
		t.Errorf("%v before, %v after", before, resources())
	}
	t.Logf("%d clients that stop or drip", len(all))
}
