package api

import (
	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/policy"
)

// ask is what one API's requests ask of policy. Names are those of Kafka's definitions.
type ask struct {
	whole []about // fields at the top, on which the whole request depends, in the order in which a broker asks
	items string  // the array at the top whose elements are decided on one by one; empty: none
	each  about   // each of these elements
	group string  // the field at the top with the group that topics are consumed with; empty: none

	// empty reports whether an empty array means everything, as a null one always does; nil: never.
	empty func(version int16) bool
	// always forwards a request of which nothing is left: the answer says more than what was asked about.
	always bool
	// question asks about an element, where that takes more than a name; nil: each does.
	question func(it item, judge Judge) int16
	// special decides instead of the loop over the elements, after whole.
	special func(q *asking) (Verdict, error)
	filter  *filter // of the response, where the request does not name what it wants
	// sessions: requests may be about a session, whose refused topics are remembered.
	sessions bool
	// part is the form of an element of the response for what is refused; nil: that of the whole error response.
	part *form
	// mute: what is denied has its code and no message, as brokers have it.
	mute bool
	// adapted: the form of the error response is adapted to the version for one element too.
	adapted bool

	says string // in the documentation, what the table does not say
}

// about is a field that names something, and what the request does with it.
type about struct {
	field  string
	kind   policy.Kind
	action plan.Action
}

// judge asks about the thing that an item names. Where the field is absent or null nothing is named. A topic may have an
// id in the place of its name.
func (a *about) judge(it item, judge Judge) int16 {
	q := Question{Kind: a.kind, Action: a.action, Name: it.text(a.field)}
	if a.kind == policy.Topic && q.Name == nil {
		q.ID = it.id("TopicId")
	}
	if q.Name == nil && q.ID == nil && !a.needed(it) {
		return 0
	}
	return judge(q)
}

// needed reports whether the item is one that must name something: an element of an array, or a field that is there and not
// null. What has no name is then asked about, and denied.
func (a *about) needed(it item) bool {
	l, ok := it.field(a.field)
	return it.elem != nil || ok && !it.null(l)
}

// Abouts that many APIs share.
var (
	useGroup       = about{"GroupId", policy.Group, policy.Use}
	seeGroup       = about{"GroupId", policy.Group, policy.Describe}
	useTransaction = about{"TransactionalId", policy.Transaction, policy.Use}
)

func topicTo(action plan.Action, field string) about { return about{field, policy.Topic, action} }

// asks are the APIs that policy can allow, by key. An API that is not here is for admins alone where operations are
// enforced. The order of questions, and the rights, are those of Apache Kafka's broker: produce is WRITE, consume is READ,
// either is DESCRIBE too, and there is one right to a group and to a transactional id. Those that take more than a table
// are in numbered files.
var asks = map[int16]ask{
	0:  {whole: []about{useTransaction}, items: "TopicData", each: topicTo(policy.Produce, "Name"), mute: true},
	1:  {items: "Topics", each: topicTo(policy.Consume, "Topic"), sessions: true, special: inSession, says: "sessions hold what is allowed, and nothing else"},
	2:  {items: "Topics", each: topicTo(policy.Describe, "Name")},
	8:  {whole: []about{useGroup}, items: "Topics", each: topicTo(policy.Consume, "Name"), group: "GroupId"},
	11: {whole: []about{useGroup}},
	12: {whole: []about{useGroup}},
	13: {whole: []about{useGroup}},
	14: {whole: []about{useGroup}},
	15: {items: "Groups", each: about{"Groups", policy.Group, policy.Describe}, mute: true},
	16: {filter: &filter{array: "Groups", hides: hidden(about{"GroupId", policy.Group, policy.Describe})}, says: "lists the groups that may be used"},
	19: {items: "Topics", each: topicTo(policy.Create, "Name")},
	20: {items: "Topics", each: topicTo(policy.Delete, "Name"), special: deleteTopics, adapted: true},
	21: {items: "Topics", each: topicTo(policy.Delete, "Name")},
	23: {items: "Topics", each: topicTo(policy.Describe, "Topic")},
	25: {whole: []about{useTransaction, useGroup}},
	26: {whole: []about{useTransaction}},
	28: {whole: []about{useTransaction, useGroup}, items: "Topics", each: topicTo(policy.Consume, "Name"), group: "GroupId"},
	42: {items: "GroupsNames", each: about{"GroupsNames", policy.Group, policy.Delete}},
	47: {whole: []about{{"GroupId", policy.Group, policy.Delete}}, items: "Topics", each: topicTo(policy.Consume, "Name"), group: "GroupId", part: named},
	60: {says: "asks nothing"},
	61: {items: "Topics", each: topicTo(policy.Consume, "Name")},
	65: {items: "TransactionalIds", each: about{"TransactionalIds", policy.Transaction, policy.Describe},
		filter: &filter{always: true, array: "TransactionStates.Topics", hides: hidden(topicTo(policy.Describe, "Topic"))}, says: "shows the topics that may be seen"},
	66: {filter: &filter{array: "TransactionStates", hides: hidden(about{"TransactionalId", policy.Transaction, policy.Describe})},
		says: "lists the transactional ids that may be used"},
	71: {says: "asks nothing"},
	72: {says: "asks nothing"},
	78: {whole: []about{useGroup}, items: "Topics", each: topicTo(policy.Consume, ""), group: "GroupId", sessions: true, special: inSession, says: "sessions hold what is allowed, and nothing else", part: responses, mute: true},
	79: {whole: []about{useGroup}, items: "Topics", each: topicTo(policy.Consume, ""), group: "GroupId", special: inSession, part: responses, mute: true},
	91: {whole: []about{useGroup}, items: "Topics", each: topicTo(policy.Consume, "TopicName"), group: "GroupId", part: responses},
	92: {whole: []about{{"GroupId", policy.Group, policy.Delete}}, items: "Topics", each: topicTo(policy.Consume, "TopicName"), group: "GroupId", part: responses},
	93: {whole: []about{useGroup}},
}

// responses and named are the forms of topics in responses.
var (
	responses = &form{items: pairs{"Responses": "Topics", "Responses.Partitions": "Partitions"}}
	named     = &form{items: topics}
)

// hidden hides an element of a response that names what may not be seen.
func hidden(a about) func(it, parent item, judge Judge) bool {
	return func(it, _ item, judge Judge) bool { return a.judge(it, quiet(judge)) != 0 }
}

// quiet asks without a no being a refusal.
func quiet(judge Judge) Judge {
	return func(q Question) int16 {
		q.Quiet = true
		return judge(q)
	}
}
