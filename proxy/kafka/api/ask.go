package api

import (
	"bytes"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/policy"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// Question is one thing that a request asks of policy: may the principal do this with that?
type Question struct {
	Kind   policy.Kind
	Action plan.Action
	Name   []byte // a part of the request or response; empty where the topic is given by its id
	ID     []byte // the 16 bytes of a topic id; nil where it is given by name
	Group  []byte // the group that the topic is consumed with; nil: none is named

	// AnyTopic asks for the right to produce to some topic, whichever, and nothing else is set: what an idempotent
	// producer needs before it gets its id.
	AnyTopic bool

	// Quiet says that a no is no refusal: the request is served, in a smaller way.
	Quiet bool
}

// Judge answers a question: with 0 for yes, or with the error code that the client gets for that thing. It may be asked
// from the goroutine that passes answers too.
type Judge func(Question) int16

// Verdict is what becomes of a request.
type Verdict struct {
	// Forward is the body to forward: the request's own, or what is left of it; nil if nothing is.
	Forward []byte
	// Answer is the whole answer, a complete frame, if nothing is forwarded. It is nil for a request that gets none.
	Answer []byte
	// Why is said of an answer that no denied question explains, for the audit record; else it is empty.
	Why string
	// Refused is how many of the things that the request names are refused.
	Refused int
	// Change must be merged into the response; nil: it passes as it is.
	Change *Change
	// Parts are the topics that are refused, of a request that may open or change a session.
	Parts []Part
}

// Part is a topic that is refused, and what a response says of it.
type Part struct {
	Topic   []byte // its name or id
	Code    int16
	Element []byte // of the response
}

// CodeUnknownTopicID is what a [Judge] says of a topic id that it does not know.
const CodeUnknownTopicID = codeUnknownTopicID

// Asks reports whether policy can allow an API's requests by what they name. Any other API is, where operations are
// enforced, for admins alone.
func (a API) Asks() bool { _, ok := asks[a.Key]; return ok }

// Ask holds a whole request against policy. The request is split where it names things of which only some are allowed:
// these are forwarded, and the response gets the error codes for the others, as a broker with ACLs would give them.
//
// Where the judge does not know a topic id, learn is called once, with all ids of the request, before it is asked again.
//
// The error is one of package wire for a request that breaks its definition, or says that the error answer would be too
// long; nothing of such a request may be forwarded.
func Ask(h wire.RequestHeader, body []byte, judge Judge, learn func(ids [][16]byte)) (Verdict, error) {
	a, ok := asks[h.Key]
	request := wire.Request(h.Key, h.Version)
	if err := request.Check(body); err != nil {
		return Verdict{}, err
	}
	if !ok {
		frame, err := Refuse(h, body)
		return Verdict{Answer: frame, Refused: 1}, err
	}
	q := asking{h: h, body: body, judge: judge, learn: learn, ask: a, top: item{body: body, s: request}}
	for i := range a.whole {
		if code := a.whole[i].judge(q.top, judge); code != 0 {
			return q.all(code)
		}
	}
	if a.special != nil {
		return a.special(&q)
	}
	return q.split()
}

// asking is one request that is held against policy.
type asking struct {
	ask
	h     wire.RequestHeader
	body  []byte
	top   item
	judge Judge
	learn func(ids [][16]byte) // nil: it has been called
}

// all refuses the whole request with one code.
func (q *asking) all(code int16) (Verdict, error) {
	frame, err := respond(q.h, q.body, code, q.text(code), false)
	if err == errSilent {
		err = nil
	}
	return Verdict{Answer: frame, Refused: 1}, err
}

// text is the message for an error code. Some APIs have none for what is denied.
func (a *ask) text(code int16) string {
	if a.mute {
		return "null"
	}
	return texts[code]
}

// split asks about each element of the request's array.
func (q *asking) split() (Verdict, error) {
	list, ok := q.top.field(q.items)
	n := -1
	if ok {
		n, _ = wire.Count(q.body[list.from:], list.f.Flexible())
	}
	if n < 0 || n == 0 && q.everything(q.h.Version) {
		return Verdict{Forward: q.body, Change: q.filtering(true)}, nil
	}
	var refused *refusals
	at := 0
	q.top.each(q.items, func(it item) {
		if code := q.element(it); code != 0 {
			if refused == nil {
				refused = q.refusals(n)
			}
			refused.add(at, it, code)
		}
		at++
	})
	switch {
	case refused == nil:
		return Verdict{Forward: q.body, Change: q.filtering(false)}, nil
	case refused.b.long:
		return Verdict{}, errLong
	case refused.n == n && !q.always:
		return q.answer(refused), nil
	}
	v := Verdict{Refused: refused.n, Forward: q.keep(refused.of), Change: q.filtering(false)}
	if v.Change == nil {
		v.Change = &Change{h: q.h}
	}
	v.Change.array, v.Change.n, v.Change.elements = refused.array, refused.n, refused.b.out
	v.Parts = refused.parts
	return v, nil
}

// element asks about one element.
func (q *asking) element(it item) int16 {
	if q.question != nil {
		return q.question(it, q.judge)
	}
	return q.topic(&q.each, it, q.group, q.top)
}

// topic asks about a topic that is consumed with the group which a field of another item names; none if that is empty.
func (q *asking) topic(a *about, it item, group string, in item) int16 {
	judge := q.judge
	if group != "" {
		id := in.text(group)
		judge = func(question Question) int16 {
			question.Group = id
			return q.judge(question)
		}
	}
	code := a.judge(it, judge)
	if code != codeUnknownTopicID || q.learn == nil {
		return code
	}
	learn := q.learn
	q.learn = nil
	learn(q.ids())
	return a.judge(it, judge)
}

// ids are the topic ids of a request.
func (q *asking) ids() (ids [][16]byte) {
	_ = q.top.s.Walk(q.body, func(f *wire.Field, v wire.Value) bool {
		if f.Kind == wire.UUID && f.Name == "TopicId" && [16]byte(v.Bytes) != [16]byte{} {
			ids = append(ids, [16]byte(v.Bytes))
		}
		return true
	})
	return ids
}

// everything reports whether an empty array asks for all there is, as a null one does.
func (a *ask) everything(version int16) bool { return a.empty != nil && a.empty(version) }

// refusals are the elements of the response for what is refused, as they are made.
type refusals struct {
	array string // of the response, that they belong to
	elem  *wire.Struct
	b     builder
	n     int
	of    []bool // the elements of the request: which are refused
	parts []Part // if the request is about a session
	keeps bool   // parts
	named string // the field with the topic's name
	text  func(code int16) string
}

func (q *asking) refusals(n int) *refusals {
	response := wire.Response(q.h.Key, q.h.Version)
	r := &refusals{of: make([]bool, n), b: builder{form: formOf(q.h.Key), top: q.top, limit: limitOf(q.body)}}
	r.keeps, r.named = q.sessions, q.each.field
	r.text = q.text
	switch {
	case q.part != nil:
		r.b.form = *q.part
	case q.adapted:
		r.b.adapt(&r.b.form, q.h.Version, q.top)
	}
	for path, name := range r.b.items {
		if elem := elementOf(response, path); name == q.items && elem != nil {
			r.array, r.elem = path, elem
		}
	}
	return r
}

func (r *refusals) add(at int, it item, code int16) {
	r.b.code, r.b.text = code, r.text(code)
	from := len(r.b.out)
	r.b.element(r.elem, it)
	r.of[at] = true
	r.n++
	if r.keeps {
		topic := it.id("TopicId")
		if topic == nil {
			topic = it.text(r.named)
		}
		r.parts = append(r.parts, Part{topic, code, bytes.Clone(r.b.out[from:])})
	}
}

// keep is the request without the elements that are refused.
func (q *asking) keep(refused []bool) []byte {
	at := -1
	shape := reshaper{body: q.body, touch: func(path string) bool { return path == q.items },
		drop: func(*wire.Field, item, item) bool { at++; return refused[at] }}
	return shape.reshape(make([]byte, 0, len(q.body)), q.top.s, 0)
}

// answer is the response to a request of which nothing is left.
func (q *asking) answer(r *refusals) Verdict {
	v := Verdict{Refused: r.n}
	if r.b.silent != nil && r.b.silent(q.top) {
		return v
	}
	b := builder{form: form{values: r.b.values}, top: q.top, text: "null"}
	b.structure(wire.Response(q.h.Key, q.h.Version), item{}, false)
	out := wire.AppendResponseHeader(make([]byte, 4, 64+len(b.out)+len(r.b.out)), q.h.Key, q.h.Version, q.h.Correlation)
	c := Change{h: q.h, array: r.array, n: r.n, elements: r.b.out}
	v.Answer = finish(c.reshape(out, b.out))
	return v
}

// filtering is the change that leaves out of the response what may not be seen; nil: there is nothing of the kind in it.
func (q *asking) filtering(everything bool) *Change {
	if q.filter == nil || !everything && !q.filter.always {
		return nil
	}
	return &Change{h: q.h, filter: q.filter, judge: q.judge}
}
