package hostile_test

import (
	"sync"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/test/dialogue"
	"github.com/asyncgate/asyncgate/test/inprocess"
)

// The deadlines of this test, and how late an end may be.
const (
	handshake = 400 * time.Millisecond
	idle      = 800 * time.Millisecond
	tolerance = 4 * time.Second // of a busy machine
)

// TestEveryStageHasADeadline has clients stop, or drip, wherever they can, all at the same time.
func TestEveryStageHasADeadline(t *testing.T) {
	s := newStage(t, certificates(t), func(o *inprocess.PlanOptions) { o.Handshake, o.Idle = handshake, idle })
	before := calm()
	var clients sync.WaitGroup
	all := vectors(t, "deadlines")
	for _, v := range all {
		clients.Go(func() {
			began := time.Now()
			r := s.play(v.Name, v, dialogue.Patience{Expected: idle + 2*tolerance, Unexpected: surprise})
			if r == nil {
				return
			}
			took, limit := time.Since(began), handshake+tolerance
			if v.code == "" {
				limit = idle + tolerance
			}
			if got, want := r.Transcript(), v.Transcript(); got != want {
				t.Errorf("%s: it should go\n%sand went\n%s", v.Name, want, got)
			}
			if took > limit || took < handshake {
				t.Errorf("%s: ended after %v, the handshake has %v and an idle connection %v", v.Name, took, handshake, idle)
			}
			s.expectAudit(v.Name, v, r)
		})
	}
	clients.Wait()
	if !settle(before) {
		t.Errorf("%v before, %v after", before, resources())
	}
	t.Logf("%d clients that stop or drip", len(all))
}
