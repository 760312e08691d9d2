package proxy

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asyncgate/asyncgate/plan"
)

var somebody = netip.MustParseAddr("192.0.2.1")

func TestThrottleForgetsAfterAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newThrottle()
		for range 4 {
			if d := th.fail(somebody, time.Now()); d != 0 {
				t.Fatalf("held back %v", d)
			}
		}
		<-time.After(time.Minute)
		for range 4 {
			if d := th.fail(somebody, time.Now()); d != 0 {
				t.Fatalf("a minute later held back %v", d)
			}
		}
		if d := th.fail(somebody, time.Now()); d != 100*time.Millisecond {
			t.Fatalf("the fifth is held back %v", d)
		}
	})
}

func TestThrottleBlocksForAMinuteAfterTheNinth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newThrottle()
		for i := range 9 {
			if th.blocked(somebody, time.Now()) {
				t.Fatalf("blocked after %d", i)
			}
			th.fail(somebody, time.Now())
		}
		other := netip.MustParseAddr("192.0.2.2")
		if !th.blocked(somebody, time.Now()) || th.blocked(other, time.Now()) {
			t.Fatal("the wrong ones are blocked")
		}
		<-time.After(time.Minute - time.Nanosecond)
		if !th.blocked(somebody, time.Now()) {
			t.Fatal("free too early")
		}
		<-time.After(time.Nanosecond)
		if th.blocked(somebody, time.Now()) {
			t.Fatal("blocked for too long")
		}
		if d := th.fail(somebody, time.Now()); d != 0 {
			t.Fatalf("and then begins anew, but is held back %v", d)
		}
	})
}

func TestThrottleIsBounded(t *testing.T) {
	th, now := newThrottle(), time.Now()
	for i := range uint32(3*throttleSize + 10) {
		var a [4]byte
		binary.BigEndian.PutUint32(a[:], i)
		th.fail(netip.AddrFrom4(a), now)
	}
	if n := len(th.young) + len(th.old); n > 2*throttleSize {
		t.Errorf("%d addresses are kept", n)
	}
}

func TestAddressesAreForgottenOnceTheyAreIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tk, limits := newTokens(), plan.DefaultLimits()
		for i := range uint32(1000) {
			var a [4]byte
			binary.BigEndian.PutUint32(a[:], i)
			client := netip.AddrFrom4(a)
			if code := tk.enter(&limits, client, time.Now()); code != "" {
				t.Fatal(code)
			}
			if i > 0 {
				tk.leave(client)
			}
		}
		<-time.After(2 * time.Second)
		tk.enter(&limits, somebody, time.Now())
		if n := len(tk.addresses); n != 2 { // the one that is still connected, and the new one
			t.Errorf("%d addresses are kept", n)
		}
	})
}

func TestAClientIsAnAddressOrA64(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.1":            "192.0.2.1",
		"::ffff:192.0.2.1":     "192.0.2.1",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::",
		"2001:db8:1:2:ffff::1": "2001:db8:1:2::",
		"fe80::1%eth0":         "fe80::",
	} {
		a := netip.MustParseAddr(in)
		if got := clientOf(a).String(); got != want {
			t.Errorf("%s counts as %s, want %s", in, got, want)
		}
	}
}
