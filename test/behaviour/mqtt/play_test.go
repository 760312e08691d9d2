package behaviour_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/test/mqtt"
)

// target is a broker, or a gateway in front of one.
type target struct {
	mqtttest.Target
	password func(user string) string
}

// patience is how long is waited for what shall come, and for a surprise where nothing shall.
type patience struct{ expected, unexpected time.Duration }

var (
	playing   = patience{mqtttest.Patience, 400 * time.Millisecond}
	recording = patience{8 * time.Second, 8 * time.Second}
)

// player has one script.
type player struct {
	target
	patience
	unique  string
	actors  map[string]*actor
	entered []string // names, in the order they came
	said    []string
}

// actor is one client.
type actor struct {
	*mqtttest.Conn
	user      string
	connected bool
	gone      bool
}

// play has a script with a target, and returns it as it went.
func play(ctx context.Context, s *script, at target, p patience) (*script, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	r := &player{target: at, patience: p, unique: "t" + strings.ToLower(rand.Text()[:10]), actors: map[string]*actor{}}
	defer func() {
		for _, a := range r.actors {
			_ = a.Close()
		}
	}()
	for _, line := range s.lines {
		if isEnd(line) {
			continue
		}
		if err := r.step(ctx, line); err != nil {
			return nil, fmt.Errorf("%s: %w", line, err)
		}
	}
	var ends []string
	for _, name := range r.entered {
		if end := r.end(name); end != "" {
			ends = append(ends, name+" "+end)
		}
	}
	r.said = append(r.said, ends...)
	return &script{name: s.name, comments: s.comments, lines: r.said}, nil
}

func (r *player) say(format string, args ...any) {
	r.said = append(r.said, strings.ReplaceAll(fmt.Sprintf(format, args...), r.unique, "{}"))
}

// step does what one line says.
func (r *player) step(ctx context.Context, line string) error {
	who, rest, _ := strings.Cut(line, " ")
	if who == "wait" {
		r.say("%s", line)
		return r.wait(ctx, rest)
	}
	name := who[:len(who)-1]
	a := r.actors[name]
	if who[len(who)-1] == ':' {
		return r.enter(ctx, name, rest)
	}
	if a == nil {
		return errors.New("nobody has that name")
	}
	switch who[len(who)-1] {
	case '>':
		r.say("%s", line)
		_ = a.Send(r.complete(a, strings.ReplaceAll(rest, "{}", r.unique))) // that the other side is gone shows below
	case '<':
		within := r.expected
		if rest == nothing {
			within = r.unexpected
		}
		r.say("%s< %s", name, a.read(within))
	case '!':
		r.say("%s", line)
		a.gone = true
		_ = a.Close()
	}
	return nil
}

func (r *player) wait(ctx context.Context, text string) error {
	d, err := time.ParseDuration(text)
	if err != nil {
		return err
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *player) enter(ctx context.Context, name, how string) error {
	version, user, named := strings.Cut(how, " ")
	if !named {
		user = "alice"
	}
	n, err := strconv.Atoi(version)
	if err != nil {
		return err
	}
	c, err := mqtttest.DialContext(ctx, r.Target, byte(n))
	if err != nil {
		return err
	}
	if old := r.actors[name]; old != nil {
		_ = old.Close()
	} else {
		r.entered = append(r.entered, name)
	}
	r.actors[name] = &actor{Conn: c, user: user}
	r.say("%s: %s", name, how)
	return nil
}

// complete gives a CONNECT the user and the password, and a keep alive as clients have one.
func (r *player) complete(a *actor, line string) string {
	if !strings.HasPrefix(line, "CONNECT") {
		return line
	}
	if !strings.Contains(line, " password=") {
		line += " user=" + a.user + " password=" + strconv.Quote(r.password(a.user))
	}
	if !strings.Contains(line, " keepalive=") {
		line += " keepalive=60"
	}
	return line
}

// read is the next packet, or that there is none.
func (a *actor) read(within time.Duration) string {
	p, err := a.Receive(within)
	switch {
	case errors.Is(err, mqtttest.ErrNothing):
		return nothing
	case err != nil:
		return closed
	}
	if p.Name == "CONNACK" && p.Text("code") == "0x00" {
		a.connected = true
	}
	for i, f := range p.Fields {
		switch f.Key {
		case "assigned-id":
			p.Fields[i].Value = "ID"
		case "message-expiry": // less, after a second
			if n, err := strconv.Atoi(f.Value); err == nil {
				p.Fields[i].Value = strconv.Itoa((n + 9) / 10 * 10)
			}
		}
	}
	if p.Name == "CONNACK" { // the order of properties means nothing
		slices.SortStableFunc(p.Fields, func(a, b mqtttest.Field) int { return strings.Compare(a.Key, b.Key) })
	}
	return p.String()
}

// end tells what else came, and returns whether the client is still connected: then it gets an answer. Of a client that
// has gone there is nothing to tell.
func (r *player) end(name string) string {
	a := r.actors[name]
	if a.gone {
		return ""
	}
	within := r.expected
	if !a.connected {
		within = r.unexpected
	} else if err := a.Send("PINGREQ"); err != nil {
		return closed
	}
	for {
		switch said := a.read(within); said {
		case "PINGRESP", nothing:
			return open
		case closed:
			return closed
		default:
			r.say("%s< %s", name, said)
		}
	}
}

// playAll has all scripts with a target, several at a time: most of them only wait. The expectation may be another one
// than the file's.
func playAll(t testing.TB, at target, all []*chapter, p patience, expected func(name string, s *script) *script) map[string]*script {
	t.Helper()
	type result struct {
		name string
		s    *script
		err  error
	}
	const together = 16
	results, slots, count := make(chan result), make(chan struct{}, together), 0
	for _, c := range all {
		for _, s := range c.scripts {
			name := c.title + "/" + s.name
			count++
			go func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				went, err := play(t.Context(), expected(name, s), at, p)
				results <- result{name, went, err}
			}()
		}
	}
	went := map[string]*script{}
	for range count {
		r := <-results
		if r.err != nil {
			t.Errorf("%s: %v", r.name, r.err)
			continue
		}
		went[r.name] = r.s
	}
	return went
}
