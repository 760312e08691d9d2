package wire_test

import (
	"math/rand/v2"
	"testing"

	"github.com/asyncgate/asyncgate/proxy/kafka/internal/random"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// scan feeds a message in pieces of the sizes that next returns, and skips what may be skipped if the size is odd.
func scan(s *wire.Struct, body []byte, next func() int) error {
	var sc wire.Scanner
	sc.Reset(s, int64(len(body)))
	for {
		n := min(next(), len(body))
		if skip := sc.Skip(); skip > 0 && n%2 == 1 {
			m := min(skip, int64(n))
			sc.Skipped(m)
			body = body[m:]
			continue
		}
		m, err := sc.Scan(body[:n])
		if err != nil || sc.Done() {
			return err
		}
		body = body[m:]
		if m < n || len(body) == 0 && sc.Left() > 0 {
			panic("a scanner that is not done and does not take what it is given")
		}
	}
}

func TestScannerAgreesWithCheckHoweverTheMessageIsCut(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	scans := 0
	each(t, func(s side, key, version int16) {
		structure := wire.Request(key, version)
		if s.name == "response" {
			structure = wire.Response(key, version)
		}
		for i := range 20 {
			body := s.random(r, key, version, 3)
			if i > 0 {
				body = mutate(r, body)
			}
			want := s.check(key, version, body)
			for name, next := range map[string]func() int{
				"whole":    func() int { return len(body) },
				"by bytes": func() int { return 1 },
				"randomly": func() int { return 1 + r.IntN(9) },
			} {
				scans++
				if got := scan(structure, body, next); (got == nil) != (want == nil) {
					t.Fatalf("%s %s v%d %s: scanner %v, check %v\n%x", wire.Name(key), s.name, version, name, got, want, body)
				}
			}
		}
	})
	t.Logf("%d scans", scans)
}

func TestScannerAllocatesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	_, body := random.Response(r, 1, 16, 20)
	structure := wire.Response(1, 16)
	var sc wire.Scanner
	if n := testing.AllocsPerRun(20, func() {
		sc.Reset(structure, int64(len(body)))
		if _, err := sc.Scan(body); err != nil || !sc.Done() {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
