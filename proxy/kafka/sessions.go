package kafka

import (
	"context"
	"sync"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/policy"
	"github.com/asyncgate/asyncgate/proxy/kafka/api"
)

// What the sessions of one connection may take. A client has one for each broker it fetches from, which is one on a
// connection; who opens many loses those that it had.
const (
	maxSessions     = 4
	maxSessionBytes = 4 << 20 // of names, and of what is told of those refused: as much as one request can bring
)

// sessions are the fetch sessions (KIP-227) and share sessions (KIP-932) that were opened on a connection. In a session a
// request names nothing and is answered all the same, so that the gateway must know what is in it. A session of another
// connection is none: the broker, for which every client is the gateway, would not tell them apart.
type sessions struct {
	mu    sync.Mutex // a session is opened by the answer, in the goroutine of answers
	fetch map[int32]*fetched
	share map[string]*fetched // by group and member
}

// fetched is one session: the topics in it, and what its answers say of those that were refused.
type fetched struct {
	key     string // of a share session: group and member; empty: it is a fetch session
	judge   *judge // who let the topics in
	version int16
	group   string
	topics  map[string]bool // by name
	denied  map[string]*denied
	size    int // of all of it, in bytes
}

// denied is a topic that was refused to a session.
type denied struct {
	question api.Question
	n        int // elements
	elements []byte
}

func newFetched(j *judge, version int16, s *api.Session) *fetched {
	return &fetched{key: s.Key, judge: j, version: version, group: string(s.Group), topics: map[string]bool{}, denied: map[string]*denied{}}
}

// opened notes a session that an answer has opened, with the id that it got; 0: it was not opened.
func (s *sessions) opened(id int32, f *fetched) {
	if id == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.key != "" {
		if s.share == nil || len(s.share) >= maxSessions {
			s.share = make(map[string]*fetched)
		}
		s.share[f.key] = f
		return
	}
	if s.fetch == nil || len(s.fetch) >= maxSessions {
		s.fetch = make(map[int32]*fetched)
	}
	s.fetch[id] = f
}

// find returns the session that a request goes on with; nil: this connection has none such.
func (s *sessions) find(of *api.Session) *fetched {
	s.mu.Lock()
	defer s.mu.Unlock()
	if of.Key != "" {
		return s.share[of.Key]
	}
	return s.fetch[of.ID]
}

// drop forgets a session.
func (s *sessions) drop(of *api.Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if of.Key != "" {
		delete(s.share, of.Key)
		return
	}
	delete(s.fetch, of.ID)
}

// holds reports whether today's judge would let the same topics into the session, and no other. An unknown topic id that
// the cluster knows now is another.
func (f *fetched) holds(ctx context.Context, j *judge) bool {
	var unknown [][16]byte
	for topic, d := range f.denied {
		if len(d.question.ID) == 16 && d.question.Quiet {
			unknown = append(unknown, [16]byte([]byte(topic)))
		}
	}
	if len(unknown) > 0 {
		j.front.topics.learn(ctx, unknown)
	}
	for _, d := range f.denied {
		changed := f.judge != j || d.question.Quiet
		if q := d.question; changed {
			q.Quiet = true
			if code := j.see(q); code == codeNone || d.question.Quiet && code != codeUnknownTopicID {
				return false
			}
		}
	}
	if f.judge == j {
		return true
	}
	for topic := range f.topics {
		if j.see(api.Question{Kind: policy.Topic, Action: plan.Consume, Name: []byte(topic), Group: []byte(f.group)}) != codeNone {
			return false
		}
	}
	f.judge = j
	return true
}

// change takes what one more request did to the session. It reports false if the session has grown out of bounds.
func (f *fetched) change(of *api.Session, allowed map[string]bool, parts []api.Part, byID bool) bool {
	for _, topic := range of.Forgotten {
		if d := f.denied[string(topic)]; d != nil {
			f.size -= len(d.elements)
			delete(f.denied, string(topic))
		}
	}
	for topic := range allowed {
		if !f.topics[topic] {
			f.topics[topic] = true
			f.size += len(topic)
		}
	}
	for _, p := range parts {
		d := f.denied[string(p.Topic)]
		if d == nil {
			q := api.Question{Kind: policy.Topic, Action: plan.Consume, Group: []byte(f.group), Quiet: p.Code == codeUnknownTopicID}
			if byID {
				q.ID = append([]byte(nil), p.Topic...)
			} else {
				q.Name = append([]byte(nil), p.Topic...)
			}
			d = &denied{question: q}
			f.denied[string(p.Topic)] = d
			f.size += len(p.Topic)
		}
		d.n++
		d.elements = append(d.elements, p.Element...)
		f.size += len(p.Element)
	}
	return f.size <= maxSessionBytes
}

// remembered are the elements of a response for all that was refused to the session.
func (f *fetched) remembered() (n int, elements []byte) {
	for _, d := range f.denied {
		n += d.n
		elements = append(elements, d.elements...)
	}
	return n, elements
}
