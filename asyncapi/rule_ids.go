package asyncapi

import "fmt"

// uniqueIDs looks for ids that stand twice in a 2.x document: "The operationId value MUST be unique among all operations
// described in the API" (Operation Object), and the same of messageId (Message Object, 2.4). Ids may come from traits, which
// override. What several channels refer to is one thing.
func (j *judge) uniqueIDs(channels value) {
	operations, messages := newIDs("operationId", "operation"), newIDs("messageId", "message")
	j.eachOperation(channels, func(operation value) {
		operations.add(j, operation)
		j.eachMessage(operation, func(message value) { messages.add(j, message) })
	})
}

type ids struct {
	field, what string
	first       map[string]Place // of what has the id
	seen        map[Place]bool
}

func newIDs(field, what string) *ids {
	return &ids{field: field, what: what, first: map[string]Place{}, seen: map[Place]bool{}}
}

func (d *ids) add(j *judge, v value) {
	if d.seen[v.at] {
		return
	}
	d.seen[v.at] = true
	id, own := j.str(v, d.field)
	for _, trait := range j.list(j.member(v, "traits").value) {
		if other, ok := j.str(trait, d.field); ok {
			id, own = other, false
		}
	}
	if !id.Stated() {
		return
	}
	before, twice := d.first[id.Value]
	if !twice {
		d.first[id.Value] = v.at
		return
	}
	at := id.Place
	if !own {
		at = v.at // the trait's id would be right, once
	}
	j.say("document/duplicate-id", at, "give each "+d.what+" an id of its own",
		fmt.Sprintf("%s %s belongs to another %s too, %s", d.field, quote(id.Value), d.what, j.line(at, before)))
}
