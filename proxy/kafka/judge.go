package kafka

import (
	"context"
	"fmt"

	"github.com/asyncgate/asyncgate/policy"
	"github.com/asyncgate/asyncgate/proxy"
	"github.com/asyncgate/asyncgate/proxy/kafka/api"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
	"github.com/asyncgate/asyncgate/sasl"
)

// judge answers what the requests of one connection ask of policy, as long as neither the rules nor the principal change.
type judge struct {
	session *proxy.Session
	front   *front
	rules   *policy.Rules
	subject *policy.Subject
	observe bool
	who     *sasl.Principal

	whole  api.Judge            // ask, as a value that is made once
	learns func(ids [][16]byte) // learn

	// Of the request at hand:
	ctx     context.Context // for learn
	asks    api.Judge       // whole, or what is stricter than it
	api     string
	first   string // what of it was refused first, for the audit record
	why     string
	more    int  // that was refused
	learned bool // what ids are not known now are unknown
}

// judging returns the judge of the moment; nil: operations are not enforced, or the principal is one of the admins.
func (c *connection) judging() *judge {
	state := c.session.Current()
	if state.Rules == nil {
		return nil
	}
	if j := c.judge; j == nil || j.rules != state.Rules || j.who != c.principal {
		c.judge = &judge{session: c.session, front: c.front, rules: state.Rules, observe: state.Observe, who: c.principal,
			subject: state.Rules.Subject(c.session.Certificate, c.principal)}
		c.judge.whole, c.judge.learns = c.judge.ask, c.judge.learn
	}
	if c.judge.subject.Admin() {
		return nil
	}
	return c.judge
}

// begin forgets what was refused of the last request.
func (j *judge) begin(ctx context.Context, key int16) {
	j.ctx, j.api, j.first, j.why, j.more, j.learned = ctx, wire.Name(key), "", "", 0, false
	j.asks = j.whole
}

// ask answers a question about a request. See [api.Judge].
func (j *judge) ask(q api.Question) int16 {
	code, decision, resource := j.decide(q)
	switch {
	case code == codeNone, code == codeUnknownTopicID && !j.learned, q.Quiet && !j.observe:
		return code
	case j.observe:
		if !q.Quiet && code != codeUnknownTopicID {
			j.session.Observe(j.api, string(q.Action), describe(q, resource), decision.Because())
		}
		return codeNone
	case j.first == "":
		j.first, j.why = describe(q, resource), decision.Because()
	default:
		j.more++
	}
	return code
}

// see answers a question about a response: whether something may be shown. It is asked from the goroutine of answers, and
// notes nothing.
func (j *judge) see(q api.Question) int16 {
	if j.observe {
		return codeNone
	}
	code, _, _ := j.decide(q)
	return code
}

// decide is the decision and the code for its denial.
func (j *judge) decide(q api.Question) (int16, policy.Decision, policy.Resource) {
	if q.AnyTopic {
		if j.subject.MayProduce() {
			return codeNone, policy.Decision{}, policy.Resource{}
		}
		return codeClusterAuthorizationFailed, policy.Decision{Reason: "there is no topic that the principal may produce to"}, policy.Resource{}
	}
	r := policy.Resource{Kind: q.Kind, Name: policy.Text(q.Name), Group: policy.Text(q.Group)}
	if q.ID != nil {
		name, known := j.front.topics.name([16]byte(q.ID))
		if !known {
			return codeUnknownTopicID, policy.Decision{Reason: "no topic of the cluster has that id"}, r
		}
		r.Name = name
	}
	d := j.subject.Decide(q.Action, r)
	if d.Allowed {
		return codeNone, d, r
	}
	return denials[q.Kind], d, r
}

// denials are the error codes of what is denied, by its kind.
var denials = [...]int16{
	policy.Topic:       codeTopicAuthorizationFailed,
	policy.Group:       codeGroupAuthorizationFailed,
	policy.Transaction: codeTransactionalIDAuthorizationFailed,
}

func describe(q api.Question, r policy.Resource) string {
	switch {
	case q.AnyTopic:
		return "topic:*"
	case q.ID != nil && r.Name == "":
		return fmt.Sprintf("topic id %x", q.ID)
	}
	return q.Kind.String() + ":" + string([]byte(r.Name)) // a copy: the request goes
}

// codeNotAllowed is the audit code of what no operation and no grant allows.
const codeNotAllowed = "not-allowed"

// told writes the one audit record of a request of which something was refused.
func (j *judge) told() {
	if j.first == "" {
		return
	}
	why := j.why
	if j.more > 0 {
		why += fmt.Sprintf("; and %d more of the request", j.more)
	}
	j.session.Deny(j.api, j.first, &sasl.Reject{Stage: sasl.StageRequest, Code: codeNotAllowed, Private: why})
}

// learn makes sure that the topic ids of a request are known, if there are such topics.
func (j *judge) learn(ids [][16]byte) {
	j.learned = true
	j.front.topics.learn(j.ctx, ids)
}
