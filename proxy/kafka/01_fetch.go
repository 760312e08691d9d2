package kafka

import (
	"context"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/proxy/kafka/api"
)

// The API keys of what is fetched.
const (
	keyFetch            = 1
	keyShareFetch       = 78
	keyShareAcknowledge = 79
)

// inSession decides on a request that may be about a session: what is refused never enters one, and is told with every
// answer of it, as a broker does.
func (r *enforced) inSession(ctx context.Context) (verdict, error) {
	s, has, err := api.SessionOf(r.h, r.body)
	switch {
	case err != nil:
		return r.malformed(ctx, err)
	case !has || r.observe:
		return r.ask(ctx)
	case s.Epoch == api.EpochOpen && r.h.Key != keyShareAcknowledge: // which opens none
		return r.open(ctx, &s)
	case s.Epoch == api.EpochEnd && r.h.Key == keyFetch: // and fetches what it names, without a session
		r.sessions.drop(&s)
		return r.ask(ctx)
	}
	return r.goOn(ctx, &s)
}

// open decides on a request that opens a session, or fetches without one.
func (r *enforced) open(ctx context.Context, s *api.Session) (verdict, error) {
	r.sessions.drop(s)
	f := newFetched(r.judge, r.h.Version, s)
	v, allowed, err := r.askFor(s)
	if err != nil {
		return r.malformed(ctx, err)
	}
	r.told()
	switch {
	case v.Forward == nil:
		return answered, r.reply(ctx, r.run, v.Answer)
	case !f.change(s, allowed, v.Parts, r.byID()):
		return 0, r.connection.refuse(ctx, "session-size", "a fetch of more topics than a session can have")
	}
	return r.carry(ctx, v.Forward, request{change: changeOf(v.Change), opens: f})
}

// goOn decides on a request that goes on with a session. One that this connection has not opened, or that other rules would
// make another one, is not there: the client opens a new one.
func (r *enforced) goOn(ctx context.Context, s *api.Session) (verdict, error) {
	f := r.sessions.find(s)
	code, why := codeFetchSessionIDNotFound, "the fetch session was not opened on this connection"
	if s.Key != "" {
		code, why = codeShareSessionNotFound, "the share session was not opened on this connection"
	}
	if f != nil && (f.version != r.h.Version && r.h.Key == keyFetch || !f.holds(ctx, r.judge)) {
		f, why = nil, "the rules have changed what may be in the session"
	}
	if f == nil {
		r.sessions.drop(s)
		return r.answer(ctx, api.TopError(r.h, code), "session-unknown", why)
	}
	v, allowed, err := r.askFor(s)
	if err != nil {
		return r.malformed(ctx, err)
	}
	r.told()
	if v.Forward == nil {
		return answered, r.reply(ctx, r.run, v.Answer)
	}
	if s.Epoch == api.EpochEnd {
		r.sessions.drop(s)
	}
	if r.h.Key == keyShareAcknowledge {
		return r.carry(ctx, v.Forward, request{change: changeOf(v.Change)})
	}
	if !f.change(s, allowed, v.Parts, r.byID()) {
		r.sessions.drop(s)
		return r.answer(ctx, api.TopError(r.h, code), "session-size", "the session has more topics than one can have")
	}
	var q request
	if n, elements := f.remembered(); n > 0 {
		q.change = api.Remembered(r.h, n, elements)
	}
	return r.carry(ctx, v.Forward, q)
}

// askFor holds the topics that the request names against policy, and notes which are allowed.
func (r *enforced) askFor(s *api.Session) (v api.Verdict, allowed map[string]bool, err error) {
	if !s.Topics && s.Group == nil { // as most fetches of a session
		return api.Verdict{Forward: r.body}, nil, nil
	}
	allowed = make(map[string]bool)
	v, err = api.Ask(r.h, r.body, func(q api.Question) int16 {
		code := r.judge.ask(q)
		if code == codeNone && q.Action == plan.Consume {
			allowed[r.nameOf(q)] = true
		}
		return code
	}, r.learns)
	return v, allowed, err
}

// nameOf is the name of a topic that the judge knows.
func (j *judge) nameOf(q api.Question) string {
	if q.ID == nil {
		return string(q.Name)
	}
	name, _ := j.front.topics.name([16]byte(q.ID))
	return name
}

// byID reports whether the request names topics by their ids.
func (r *enforced) byID() bool { return r.h.Key != keyFetch || r.h.Version >= 13 }
