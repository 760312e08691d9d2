package compile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/settings"
)

// perspective is who the clients are to the application that the document describes; empty if nobody has said so.
// AsyncAPI 3 speaks of the application, and the clients are taken to be it.
func (c *compiler) perspective() string {
	if c.set.Perspective.Stated() || c.doc.Major == 2 {
		return c.set.Perspective.V
	}
	return settings.Application
}

// actions are what a client may do by an operation. The words are those of the application: send and receive in 3.x; in
// 2.x it is the application that produces what others subscribe to, and that consumes what they publish. A document whose
// perspective nobody has stated is shown so; it is not enforced.
func (c *compiler) actions(verb string) []plan.Action {
	application := plan.Consume // receive, publish
	if verb == "send" || verb == "subscribe" {
		application = plan.Produce
	}
	switch c.perspective() {
	case settings.Either:
		return []plan.Action{plan.Produce, plan.Consume}
	case settings.Counterparty:
		return opposite([]plan.Action{application})
	}
	return []plan.Action{application}
}

func opposite(actions []plan.Action) []plan.Action {
	list := make([]plan.Action, len(actions))
	for i, a := range actions {
		list[i] = map[plan.Action]plan.Action{plan.Produce: plan.Consume, plan.Consume: plan.Produce}[a]
	}
	return list
}

// direction reports a document of 2.x whose rules could go either way.
func (c *compiler) direction() {
	rules := slices.ContainsFunc(c.out.Servers, func(s plan.Server) bool { return len(s.Rules) > 0 })
	if c.perspective() != "" || !rules {
		return
	}
	at := place{file: c.doc.File}
	if len(c.doc.Operations) > 0 {
		at = inDocument(c.doc.Operations[0].Place)
	}
	const message = "AsyncAPI 2 does not say whether the clients are the application that the document describes, or those that it talks to"
	if c.out.Enforce == plan.Connections {
		c.add(plan.Note, "settings/perspective", at, "write perspective: application, or perspective: counterparty, into asyncgate.yaml",
			message+"; the rules are shown as if they were the application")
		return
	}
	if c.set.Enforce.Stated() {
		at = c.inSettings(c.set.Enforce.At)
	}
	hint := "write one of these into asyncgate.yaml, by what clients are to be able to do:\n" +
		"perspective: application\n" + c.table(false) + "perspective: counterparty\n" + c.table(true)
	c.add(plan.Error, "settings/perspective", at, strings.TrimSuffix(hint, "\n"), message)
}

// maxTable bounds a table within a hint; check shows the whole.
const maxTable = 20

// table is what clients may do, in lines, as it is or turned round.
func (c *compiler) table(turned bool) string {
	var b strings.Builder
	lines := 0
	for i := range c.out.Servers {
		s := &c.out.Servers[i]
		for _, r := range s.Rules {
			action := r.Action
			if turned {
				action = opposite([]plan.Action{action})[0]
			}
			if lines++; lines <= maxTable {
				fmt.Fprintf(&b, "  %s: %s %s (%s)\n", s.Name, strings.ToUpper(string(action)), r.Address, r.Operation)
			}
		}
	}
	if lines > maxTable {
		fmt.Fprintf(&b, "  and %d more\n", lines-maxTable)
	}
	return b.String()
}

// Words in names of scopes that say a direction.
var (
	readWords  = []string{"read", "consume", "subscribe", "receive", "get", "list", "view", "sub", "reader", "consumer", "subscriber"}
	writeWords = []string{"write", "produce", "publish", "send", "put", "pub", "writer", "producer", "publisher"}
)

// scopeNames warns of scopes whose names say the opposite of what they allow. The perspective is wrong then, or a scope.
func (c *compiler) scopeNames(o *asyncapi.Operation, alternatives []plan.Alternative, action plan.Action) {
	agrees, contradicts := readWords, writeWords
	if action == plan.Produce {
		agrees, contradicts = writeWords, readWords
	}
	wrong := ""
	for _, a := range alternatives {
		for _, q := range a.All {
			for _, scope := range q.Scopes {
				words := strings.FieldsFunc(strings.ToLower(scope), func(r rune) bool { return strings.ContainsRune(":./_- ", r) })
				says := func(list []string) bool {
					return slices.ContainsFunc(words, func(word string) bool { return slices.Contains(list, word) })
				}
				if says(agrees) {
					return
				}
				if says(contradicts) {
					wrong = scope
				}
			}
		}
	}
	if wrong == "" {
		return
	}
	at := inDocument(o.Place)
	if o.Security != nil {
		at = inDocument(o.Security.Place)
	}
	other := settings.Counterparty
	if c.perspective() == settings.Counterparty {
		other = settings.Application
	}
	c.add(plan.Warning, "security/scope-direction", at, "if the scope is right, write perspective: "+other+" into asyncgate.yaml",
		"operation %s lets clients %s, and its scope %s sounds like the opposite", o.Name, action, wrong)
}
