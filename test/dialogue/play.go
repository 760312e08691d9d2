package dialogue

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"
)

// Target is a server to talk to.
type Target struct {
	Addresses map[string]string // host:port by the listener's name
	// TLS is a client's side of TLS with the certificate of that name; empty: none.
	TLS     func(certificate string) (*tls.Config, error)
	Session time.Duration // how long a login on the sasl-expiring listener lasts
	// Token makes a bearer token of the kind that stands in {token:KIND}, and says when the session that it begins ends.
	Token func(kind string) (text string, ends time.Time, err error)
	// Mark is called when what is to be measured begins: after the TLS handshake, and again at each mark.
	Mark func()
}

// Patience says how long an answer, or the end of the connection, is waited for.
type Patience struct {
	Expected   time.Duration // where the dialogue says that there is one
	Unexpected time.Duration // where it says nothing of one: the time that a surprise has to show itself
}

// Result is a dialogue as it went.
type Result struct {
	*Dialogue
	Local string        // the client's address
	Late  time.Duration // between the last thing that was sent and the end of the connection
	Sent  int           // bytes since the last mark
}

// dripPause is between two bytes that drip: many of them outlast any deadline that each would extend.
const dripPause = 50 * time.Millisecond

// expiryMargin is how long after the end of a session it has surely been noticed.
const expiryMargin = 300 * time.Millisecond

// maxAnswer bounds an answer, in bytes.
const maxAnswer = 1 << 20

// Play has the dialogue with the target. An error means that it could not be had at all; whatever the server does is the
// result.
func (d *Dialogue) Play(ctx context.Context, t *Target, patience Patience) (*Result, error) {
	address, ok := t.Addresses[d.Listener]
	if !ok {
		return nil, fmt.Errorf("%s: the target has no listener %q", d.Name, d.Listener)
	}
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	defer raw.Close()
	return d.speak(ctx, raw, t, patience, false)
}

// Continue is Play on a connection that exists already and is not to end with the dialogue.
func (d *Dialogue) Continue(ctx context.Context, conn net.Conn, t *Target, patience Patience) (*Result, error) {
	return d.speak(ctx, conn, t, patience, true)
}

func (d *Dialogue) speak(ctx context.Context, raw net.Conn, t *Target, patience Patience, on bool) (*Result, error) {
	played := *d
	played.Steps, played.End = make([]Step, len(d.Steps)), ""
	for i, s := range d.Steps {
		played.Steps[i] = Step{Verb: s.Verb, Message: s.Message}
	}
	p := player{expected: d, conn: raw, raw: raw, target: t, patience: patience,
		talk: conversation{tokens: t.Token}, result: &Result{Dialogue: &played, Local: raw.LocalAddr().String()}}
	stop := context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if strings.Contains(d.Listener, "tls") && !d.InClear && !on {
		if refused, err := p.handshake(ctx); err != nil {
			return nil, err
		} else if refused {
			played.End = Refused
			return p.result, nil
		}
	}
	p.mark()
	p.sent = time.Now()
	for i, s := range d.Steps {
		p.now = &played.Steps[i]
		p.last = d.End != Open && !answered(d.Steps[i+1:])
		p.cut = i+1 < len(d.Steps) && d.Steps[i+1].Verb == "fin"
		if err := p.step(s); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", d.Name, s, err)
		}
		if played.End != "" {
			break
		}
	}
	if played.End == "" && !on {
		p.finish()
	}
	return p.result, ctx.Err()
}

type player struct {
	expected *Dialogue
	result   *Result
	target   *Target
	patience Patience
	conn     net.Conn // inside TLS
	raw      net.Conn
	talk     conversation
	held     []byte
	slowly   bool
	pause    time.Duration // after each write
	now      *Step         // as it goes
	cut      bool          // what is sent next is the end
	last     bool          // the dialogue says nothing more after this step but that the connection ends
	due      []due
	sent     time.Time // when something was sent last
	expires  time.Time // the session
}

func (p *player) step(s Step) error {
	switch s.Verb {
	case "slowly":
		p.slowly = true
		return nil
	case "drip":
		p.slowly, p.pause = true, dripPause
		return nil
	case "fin":
		p.sent = time.Now()
		p.closeWrite()
		return nil
	case "mark":
		p.mark()
		return nil
	case "expire":
		<-time.After(time.Until(p.expires.Add(expiryMargin)))
		return nil
	}
	b, err := s.Message.encode(&p.talk)
	if err != nil {
		return err
	}
	if len(p.held) == 0 {
		p.held = b
	} else {
		p.held = append(p.held[:len(p.held):len(p.held)], b...)
	}
	if s.Message.form != "bytes" {
		p.due = append(p.due, p.talk.due(s.Message))
	}
	if s.Verb == "+" {
		return nil
	}
	p.write() // if it fails, reading says why
	return p.answers(s)
}

// answers reads what is due, and one more where bytes were sent of which it is not known what they ask for.
func (p *player) answers(s Step) error {
	if p.cut && s.Message.form == "bytes" && len(s.Answers) == 0 {
		return nil
	}
	for n := 0; len(p.due) > 0 || s.Message.form == "bytes" && n < max(1, len(s.Answers)); n++ {
		wait := p.patience.Unexpected
		if n < len(s.Answers) || p.last {
			wait = p.patience.Expected
		}
		frame, err := p.read(wait)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil
		case err != nil:
			p.end(err)
			return nil
		}
		d := due{message: s.Message}
		if len(p.due) > 0 {
			d, p.due = p.due[0], p.due[1:]
		}
		p.now.Answers = append(p.now.Answers, p.talk.describe(d, frame))
		p.note(d, frame)
	}
	return nil
}

// answered reports whether any of the steps has an answer.
func answered(steps []Step) bool {
	return slices.ContainsFunc(steps, func(s Step) bool { return len(s.Answers) > 0 })
}

// note remembers what an answer means for those that follow.
func (p *player) note(d due, frame []byte) {
	m := d.message
	switch {
	case d.bare && len(frame) == 0, m.form == "request" && m.key == 36:
		p.expires = time.Now().Add(p.target.Session)
		if !p.talk.expires.IsZero() {
			p.expires = p.talk.expires
		}
	}
}

// finish waits for the end of the connection, or for there to be none. What arrives until then is written down too.
func (p *player) finish() {
	wait := p.patience.Unexpected
	if p.expected.End != Open {
		wait = p.patience.Expected
	}
	for {
		frame, err := p.read(wait)
		if err != nil {
			p.end(err)
			return
		}
		d := due{message: &Message{form: "frame"}}
		if len(p.due) > 0 {
			d, p.due = p.due[0], p.due[1:]
		}
		p.now.Answers = append(p.now.Answers, p.talk.describe(d, frame))
	}
}

func (p *player) end(err error) {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		p.result.End = Open
		return
	case errors.As(err, new(tls.AlertError)), strings.Contains(err.Error(), "remote error: tls"):
		p.result.End = Refused
	default:
		p.result.End = Closed
	}
	p.result.Late = time.Since(p.sent)
}
