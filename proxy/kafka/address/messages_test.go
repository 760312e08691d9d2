package address_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/proxy/kafka/address"
	"github.com/asyncgate/asyncgate/proxy/kafka/internal/random"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

func TestMessagesThatNameConnectionsAreEmptied(t *testing.T) {
	const leak = "Request Request(processor=2, connectionId=10.0.0.7:9093-10.0.0.9:41234-0) is not authorized."
	leaks := func(message []byte) bool { return bytes.Contains(message, []byte("connectionId=")) }
	m := kmsg.NewPtrCreateACLsResponse()
	m.Version = 3
	for _, text := range []*string{kmsg.StringPtr(leak), nil, kmsg.StringPtr("Cluster authorization failed.")} {
		r := kmsg.NewCreateACLsResponseResult()
		r.ErrorCode, r.ErrorMessage = 31, text
		m.Results = append(m.Results, r)
	}
	frame, err := address.HideMessages(30, 3, payload(30, 3, m.AppendTo(nil)), leaks)
	if err != nil || frame == nil {
		t.Fatal(err)
	}
	m.Results[0].ErrorMessage = kmsg.StringPtr("")
	if want := frameOf(payload(30, 3, m.AppendTo(nil))); !bytes.Equal(frame, want) {
		t.Errorf("%x\nwant %x", frame, want)
	}
	if frame, err := address.HideMessages(30, 3, frame[4:], leaks); frame != nil || err != nil {
		t.Errorf("a second time: %x %v", frame, err)
	}
}

// Whatever the response, nothing but messages changes, and none that leaks is left.
func TestHidingMessagesInEveryResponse(t *testing.T) {
	r := rand.New(rand.NewPCG(91, 92))
	all := func(message []byte) bool { return len(message) > 0 }
	changed := 0
	for key := int16(0); key <= kmsg.MaxKey; key++ {
		lo, hi := wire.Versions(key)
		for version := lo; version <= hi; version++ {
			_, body := random.Response(r, key, version, 3)
			frame, err := address.HideMessages(key, version, payload(key, version, body), all)
			if err != nil {
				t.Fatalf("%s v%d: %v", wire.Name(key), version, err)
			}
			if frame == nil {
				continue
			}
			changed++
			_, n, err := wire.ParseResponseHeader(key, version, frame[4:])
			if err != nil {
				t.Fatal(err)
			}
			if err := wire.CheckResponse(key, version, frame[4+n:]); err != nil {
				t.Fatalf("%s v%d: %v\n%x\n%x", wire.Name(key), version, err, body, frame)
			}
			if again, err := address.HideMessages(key, version, frame[4:], all); again != nil || err != nil {
				t.Errorf("%s v%d: messages are left: %x %v", wire.Name(key), version, again, err)
			}
		}
	}
	t.Logf("%d responses changed", changed)
}
