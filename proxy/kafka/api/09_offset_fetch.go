package api

import (
	"github.com/asyncgate/asyncgate/policy"
	"github.com/asyncgate/asyncgate/proxy/kafka/wire"
)

// OffsetFetch: v0 and v1 have no place for an error but the partitions, v2 to v7 say it once at the top, and from v8 on
// each group has its own.
func init() {
	special[9] = form{
		items:  pairs{"Groups": "Groups", "Topics": "Topics", "Topics.Partitions": "PartitionIndexes"},
		fields: pairs{"Topics.Partitions.PartitionIndex": "PartitionIndexes"},
		values: pairs{"Topics.Partitions.CommittedOffset": "-1"},
		adapt: func(f *form, version int16, _ item) {
			if version >= 2 {
				f.items = pairs{"Groups": "Groups"}
			}
		},
	}
	seen := topicTo(policy.Describe, "Name")
	asks[9] = ask{whole: []about{seeGroup}, items: "Topics", each: seen, group: "GroupId", special: offsetFetch,
		filter: &filter{array: "Topics", hides: hidden(seen)}, says: "lists the topics that may be seen"}
}

// offsetFetch: one group until v7, and a list of groups with topics of their own from v8 on. Null topics are all.
func offsetFetch(q *asking) (Verdict, error) {
	if q.h.Version < 8 {
		return q.split()
	}
	f := form{
		items:  pairs{"Groups.Topics.Partitions": "PartitionIndexes"},
		fields: pairs{"Groups.Topics.Partitions.PartitionIndex": "PartitionIndexes"},
		values: pairs{"Groups.Topics.Partitions.CommittedOffset": "-1", "Groups.Topics.Partitions.CommittedLeaderEpoch": "-1"},
	}
	return q.groups(seeGroup, topicTo(policy.Describe, "Name"), f)
}

// groups decides on a request with a list of groups that have topics of their own. The form is that of a topic which is
// refused.
func (q *asking) groups(group, topic about, f form) (Verdict, error) {
	q.items = "Groups"
	refused := q.refusals(q.top.count("Groups"))
	limit := refused.b.limit
	nested := map[string]*Change{}
	drop, all, topics := map[int]bool{}, map[string]bool{}, 0
	elem := elementOf(elementOf(wire.Response(q.h.Key, q.h.Version), "Groups"), "Topics")
	at := 0
	q.top.each("Groups", func(it item) {
		if code := group.judge(it, q.judge); code != 0 {
			refused.add(at, it, code)
			at++
			return
		}
		at++
		id := it.text("GroupId")
		if it.isNull("Topics") {
			all[string(id)] = true
			return
		}
		it.each("Topics", func(t item) {
			code := q.topic(&topic, t, "GroupId", it)
			if code == 0 {
				return
			}
			drop[t.from] = true
			topics++
			c := nested[string(id)]
			if c == nil {
				c = &Change{}
				nested[string(id)] = c
			}
			b := builder{form: f, code: code, text: texts[code], out: c.elements, limit: limit}
			b.element(elem, t)
			limit -= len(b.out) - len(c.elements)
			refused.b.long = refused.b.long || b.long
			c.elements, c.n = b.out, c.n+1
		})
	})
	switch {
	case refused.b.long:
		return Verdict{}, errLong
	case refused.n == at && at > 0:
		return q.answer(refused), nil
	case refused.n == 0 && topics == 0 && len(all) == 0:
		return Verdict{Forward: q.body}, nil
	}
	v := Verdict{Refused: refused.n + topics, Forward: q.body, Change: &Change{h: q.h, nested: nested,
		array: refused.array, n: refused.n, elements: refused.b.out}}
	if len(all) > 0 {
		v.Change.judge = q.judge
		v.Change.filter = &filter{array: nestedArray, hides: func(t, parent item, judge Judge) bool {
			id := parent.text("GroupId")
			return all[string(id)] && topic.judge(t, func(question Question) int16 { question.Group, question.Quiet = id, true; return judge(question) }) != 0
		}}
	}
	if refused.n > 0 || topics > 0 {
		v.Forward = q.keepGroups(refused.of, drop)
	}
	return v, nil
}

// keepGroups is the request without the groups, and the topics of others, that are refused.
func (q *asking) keepGroups(groups []bool, topics map[int]bool) []byte {
	at := -1
	shape := reshaper{body: q.body, touch: func(path string) bool { return path == "Groups" || path == nestedArray },
		drop: func(f *wire.Field, it, _ item) bool {
			if f.Path == nestedArray {
				return topics[it.from]
			}
			at++
			return groups[at]
		}}
	return shape.reshape(make([]byte, 0, len(q.body)), q.top.s, 0)
}
