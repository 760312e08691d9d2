package clients_test

import (
	"os"
	"testing"

	"github.com/asyncgate/asyncgate/test/clients/drivers"
	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
	"github.com/asyncgate/asyncgate/test/parts"
)

var single = kafkatest.Share(kafkatest.Options{})

func TestMain(m *testing.M) {
	code := parts.Main(m)
	results.Print()
	os.Exit(code)
}

// TestDirect shows the drivers right: what they call accepted and refused is so with a real broker.
func TestDirect(t *testing.T) {
	g := direct(single.Get(t))
	logins(t, g, func(*testing.T, scheme, mistake) {})
	t.Run("work", func(t *testing.T) {
		for _, d := range clients {
			t.Run(d.name, func(t *testing.T) {
				t.Parallel()
				g.work(t, d, g.schemes[0], "produce-consume", "transaction")
			})
		}
	})
}

// logins has every client try every scheme, right and wrong. Where there is a gateway, audited looks for its record of a
// refusal.
func logins(t *testing.T, g *target, audited func(*testing.T, scheme, mistake)) {
	t.Helper()
	t.Run("login", func(t *testing.T) {
		for _, d := range clients {
			for _, s := range g.schemes {
				t.Run(d.name+"/"+s.name, func(t *testing.T) {
					t.Parallel()
					a := d.run(t, "login", g.arguments(s, nil))
					results.note(t, d, s, "login", a.Outcome)
					if a.Outcome != drivers.Accepted {
						t.Errorf("the right way: %+v", a)
					}
					for _, wrong := range s.wrong {
						a := d.run(t, "login", g.arguments(s, wrong.change))
						results.note(t, d, s, "login, "+wrong.codes[0], a.Outcome)
						if a.Outcome != drivers.Refused && a.Outcome != d.untold {
							t.Errorf("with %v: %+v", wrong.change, a)
						}
						audited(t, s, wrong)
					}
				})
			}
		}
	})
}
