package kafka

import (
	"testing"
	"testing/synctest"
)

func TestAnAnswerOfTheGatewayGoesOutAtOnceWhenNothingIsOwed(t *testing.T) {
	var f inflight
	f.init()
	if direct, ok := f.pushLocal([]byte("x")); !direct || !ok {
		t.Fatalf("pushLocal on an empty queue: direct %v, ok %v", direct, ok)
	}
	if f.size() != 0 {
		t.Fatalf("the queue holds %d requests", f.size())
	}
}

func TestAnAnswerOfTheGatewayWaitsForItsTurn(t *testing.T) {
	var f inflight
	f.init()
	f.push(request{correlation: 7})
	if direct, _ := f.pushLocal([]byte("x")); direct {
		t.Fatal("the gateway's answer overtook the broker's")
	}
	f.push(request{correlation: 8})
	for i, want := range []request{{correlation: 7}, {local: []byte("x")}, {correlation: 8}} {
		r, ok := f.front(0)
		if !ok || r.correlation != want.correlation || string(r.local) != string(want.local) {
			t.Fatalf("answer %d is for %+v, want %+v", i, r, want)
		}
		f.pop(1)
	}
	if _, ok := f.front(0); ok {
		t.Fatal("something is still owed")
	}
}

func TestAFullQueueHoldsTheClientBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f inflight
		f.init()
		for i := range maxInFlight {
			f.push(request{correlation: int32(i)})
		}
		pushed := false
		go func() { pushed = f.push(request{correlation: -1}) }()
		synctest.Wait()
		if pushed {
			t.Fatal("a full queue took one more")
		}
		f.pop(1)
		synctest.Wait()
		if !pushed {
			t.Fatal("the queue has room and takes nothing")
		}
	})
}

func TestAClosedQueueLetsEverybodyGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f inflight
		f.init()
		for i := range maxInFlight {
			f.push(request{correlation: int32(i)})
		}
		ok, waited := true, false
		go func() { ok = f.push(request{}) }()
		go func() { f.wait(); waited = true }()
		synctest.Wait()
		f.close()
		synctest.Wait()
		if ok || !waited {
			t.Fatalf("after close: push %v, wait returned %v", ok, waited)
		}
	})
}
