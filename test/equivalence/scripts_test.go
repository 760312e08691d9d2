package equivalence_test

import (
	"context"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
	"github.com/asyncgate/asyncgate/test/inprocess"
	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
)

// player plays a script on one side. What a script makes there has the player's mark in its name, and is compared without it.
type player struct {
	*side
	ctx     context.Context
	mark    string
	answers []answer
}

// answer is one step of a script.
type answer struct {
	key, version int16
	said         said
}

// step asks, and keeps the answer for the comparison.
func (p *player) step(request kmsg.Request) kmsg.Response {
	response, says := p.exchange(request)
	masked := said{}
	for path, text := range says {
		if !strings.HasSuffix(path, "TopicID") { // of a topic that the script has made
			masked[strings.ReplaceAll(path, p.mark, "MARK")] = strings.ReplaceAll(text, p.mark, "MARK")
		}
	}
	p.answers = append(p.answers, answer{request.Key(), request.GetVersion(), masked})
	return response
}

// until asks the same again until the answer is as it shall be.
func (p *player) until(what string, next func() kmsg.Request, done func(kmsg.Response) bool) {
	p.w.t.Helper()
	for p.ctx.Err() == nil {
		if response, _ := p.exchange(next()); response != nil && done(response) {
			return
		}
	}
	p.w.t.Fatalf("%s: not after %v", what, patience)
}

// alike plays a script on both sides and compares what they say, step by step. It returns how many steps there were.
func (w *world) alike(t *testing.T, script func(*player)) int {
	t.Helper()
	listed := readDifferences(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var players [2]*player
	for i, address := range []string{w.cluster.Addresses(kafkatest.SASL)[0], w.gateway.Addresses[inprocess.SASL]} {
		own := *w
		own.t = t
		players[i] = &player{side: &side{w: &own, address: address}, ctx: ctx, mark: strings.ReplaceAll(member(), "-", "")}
		script(players[i])
	}
	broker, gateway := players[0].answers, players[1].answers
	for i := range min(len(broker), len(gateway)) {
		b, g := broker[i], gateway[i]
		if paths := listed.unlisted(b.key, b.version, b.said, g.said); len(paths) > 0 {
			t.Errorf("step %d, %s v%d:%s", i, wire.Name(b.key), b.version, lines(paths, b.said, g.said))
		}
	}
	if len(broker) != len(gateway) {
		t.Errorf("%d and %d steps", len(broker), len(gateway))
	}
	return len(broker)
}
