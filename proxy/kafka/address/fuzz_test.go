package address_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/asyncgate/asyncgate/proxy/kafka/address"
	"github.com/asyncgate/asyncgate/proxy/kafka/internal/random"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// FuzzRewrite: what is rewritten is a well-formed response of the same version, and rewriting it again changes nothing.
func FuzzRewrite(f *testing.F) {
	r := rand.New(rand.NewPCG(61, 62))
	for key := range whole {
		_, body := random.Response(r, key, wire.Max(key), 4)
		f.Add(key, wire.Max(key), body)
		_, body = random.Response(r, key, wire.Max(key)-1, 4)
		f.Add(key, wire.Max(key)-1, body)
	}
	_, body := random.Response(r, 32, 4, 3)
	f.Add(int16(32), int16(4), body)
	f.Fuzz(func(t *testing.T, key, version int16, body []byte) {
		rewrite := func(p []byte) ([]byte, error) {
			if key == 32 {
				return address.HideConfigs(version, p)
			}
			return address.Rewrite(same{}, key, version, p)
		}
		p := payload(key, version, body)
		frame, err := rewrite(p)
		if (err == nil) != (wire.CheckResponse(key, version, body) == nil) {
			t.Fatalf("rewrite %v, check %v", err, wire.CheckResponse(key, version, body))
		}
		if frame == nil {
			return
		}
		if int(binary.BigEndian.Uint32(frame)) != len(frame)-4 {
			t.Fatalf("length of %x", frame)
		}
		_, n, err := wire.ParseResponseHeader(key, version, frame[4:])
		if err != nil || wire.CheckResponse(key, version, frame[4+n:]) != nil {
			t.Fatalf("%x became %x", body, frame)
		}
		again, err := rewrite(frame[4:])
		if err != nil || again != nil && !bytes.Equal(again, frame) {
			t.Fatalf("%v: %x became %x", err, frame, again)
		}
	})
}

// same serves the brokers with even ids, all at one address.
type same struct{}

func (same) Broker(id int32) (string, int32, bool) { return "gateway", 9, id%2 == 0 }

func BenchmarkRewriteMetadata(b *testing.B) {
	r := rand.New(rand.NewPCG(63, 64))
	_, body := random.Response(r, 3, 12, 8)
	p := payload(3, 12, body)
	b.ReportAllocs()
	b.SetBytes(int64(len(p)))
	for b.Loop() {
		if _, err := address.Rewrite(gateway, 3, 12, p); err != nil {
			b.Fatal(err)
		}
	}
}
