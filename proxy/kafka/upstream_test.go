package kafka

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestTheGatewayRenewsItsLoginInTime(t *testing.T) {
	for lifetime, want := range map[time.Duration]time.Duration{
		0:               0, // for ever
		time.Second:     500 * time.Millisecond,
		3 * time.Second: 1500 * time.Millisecond,
		5 * time.Second: 3 * time.Second,
		time.Minute:     51 * time.Second,
		time.Hour:       51 * time.Minute,
	} {
		synctest.Test(t, func(t *testing.T) {
			var b brokerConn
			b.renewAfter(lifetime)
			if want == 0 {
				if b.due() || !b.reauthenticate.IsZero() {
					t.Error("a login for ever is to be renewed")
				}
				return
			}
			if got := time.Until(b.reauthenticate); got != want {
				t.Errorf("a login for %v is renewed after %v, want %v", lifetime, got, want)
			}
			<-time.After(want)
			if b.due() {
				t.Errorf("a login for %v is due at %v already", lifetime, want)
			}
			<-time.After(time.Millisecond)
			if !b.due() {
				t.Errorf("a login for %v is not due after %v", lifetime, want)
			}
		})
	}
}
