package drivers_test

import (
	"os"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/test/clients/drivers"
	"github.com/asyncgate/asyncgate/test/parts"
)

func TestMain(m *testing.M) { os.Exit(parts.Main(m)) }

const within = 30 * time.Second

// shell is a driver whose answers say which process they are from, and after one of which it ends.
func shell(t *testing.T) *drivers.Program {
	t.Helper()
	parts.Need(t, "sh")
	return drivers.New(func(testing.TB) []string {
		return []string{"sh", "-c", `while read -r job; do
			echo "{\"client\": \"$$\", \"outcome\": \"accepted\", \"message\": \"$(echo "$job" | tr '\t' ';')\"}"
			[ "$job" != last ] || exit
		done`}
	})
}

func TestAProcessIsKeptForTheNextJob(t *testing.T) {
	p := shell(t)
	p.Ready(t)
	first := p.Run(t, within, "login", map[string]string{"b": "2", "a": "1 = one"})
	if first.Outcome != drivers.Accepted || first.Message != "login;a=1 = one;b=2" {
		t.Errorf("%+v", first)
	}
	if second := p.Run(t, within, "login", nil); second.Client != first.Client {
		t.Errorf("process %s did the first job, %s the second", first.Client, second.Client)
	}
}

func TestAProcessThatHasEndedIsReplaced(t *testing.T) {
	p := shell(t)
	last := p.Run(t, within, "last", nil)
	if next := p.Run(t, within, "login", nil); next.Client == last.Client {
		t.Errorf("process %s did a job after its end", last.Client)
	}
}

func TestJobsAtOnceHaveAProcessEach(t *testing.T) {
	p := shell(t)
	answers := make(chan drivers.Answer)
	for range 2 {
		go func() { answers <- p.Run(t, within, "login", nil) }()
	}
	for range 2 {
		if a := <-answers; a.Outcome != drivers.Accepted {
			t.Errorf("%+v", a)
		}
	}
}
