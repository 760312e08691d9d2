package compile

import (
	"slices"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/settings"
)

// rules sets what the operations of the document allow on a server. What is not in the list is denied, so whatever cannot
// be read, named or enforced is left out of it, with a problem.
func (c *compiler) rules(w *work) {
	c.parameterNames(w)
	for i := range c.doc.Operations {
		o := &c.doc.Operations[i]
		if o.Broken || o.Channel == nil {
			continue // the reader has said so
		}
		rule, ok := c.rule(w, o)
		if !ok {
			continue
		}
		actions := c.actions(o.Action.Value)
		if segments, address, ok := c.topic(w, o, o.Channel); ok {
			rule.Segments, rule.Address = segments, address
			c.allow(w, o, rule, actions)
		}
		c.reply(w, o, rule, opposite(actions))
	}
}

// rule is what all rules of an operation have in common. It answers false if the operation allows nothing here.
func (c *compiler) rule(w *work, o *asyncapi.Operation) (plan.Rule, bool) {
	rule := plan.Rule{Operation: o.Name, File: o.File, Line: o.Line, Pointer: o.Pointer}
	on := c.has(w, o.Channel)
	if o.Reply != nil && o.Reply.Channel != nil {
		on = on || c.has(w, o.Reply.Channel)
	}
	if !on {
		return rule, false
	}
	var ok bool
	if rule.Narrow, ok = c.narrow(w, o); !ok {
		return rule, false
	}
	rule.Stated, rule.Alternatives = c.operationSecurity(w, o)
	return rule, true
}

// has reports whether a server has a channel.
func (c *compiler) has(w *work, channel *asyncapi.Channel) bool {
	return len(channel.Servers) == 0 || slices.ContainsFunc(channel.Servers, func(r asyncapi.ServerReference) bool {
		return !r.Broken && r.Name == w.doc.Name
	})
}

// allow adds a rule for each action.
func (c *compiler) allow(w *work, o *asyncapi.Operation, rule plan.Rule, actions []plan.Action) {
	for _, action := range actions {
		rule.Action = action
		w.out.Rules = append(w.out.Rules, narrowed(rule))
	}
	if len(actions) == 1 && c.perspective() != "" {
		c.scopeNames(o, rule.Alternatives, actions[0])
	}
}

// narrowed leaves a rule only what counts for its action.
func narrowed(rule plan.Rule) plan.Rule {
	if rule.Action != plan.Consume {
		rule.Narrow.GroupID = nil
	}
	if rule.Action != plan.Produce {
		rule.Narrow.Retain = nil
	}
	return rule
}

// reply adds the rules of an operation's answers: the opposite direction, in the channel of the reply. An address that is
// found in a message at run time allows nothing.
func (c *compiler) reply(w *work, o *asyncapi.Operation, rule plan.Rule, actions []plan.Action) {
	switch {
	case o.Reply == nil || o.Reply.Broken:
		return
	case o.Reply.Channel == nil || !o.Reply.Channel.Address.Stated() && topicBinding(w, o.Reply.Channel) == nil:
		c.add(plan.Note, "security/reply-address", inDocument(o.Reply.Place), "if the topics are known, give the channel of the reply an address",
			"where the replies of operation %s go is known only from messages, so nothing is allowed for them", o.Name)
		return
	}
	segments, address, ok := c.topic(w, o, o.Reply.Channel)
	if !ok {
		return
	}
	rule.Segments, rule.Address = segments, address
	rule.Line, rule.File, rule.Pointer = o.Reply.Line, o.Reply.File, o.Reply.Pointer
	rule.Narrow = plan.Narrow{ClientID: rule.Narrow.ClientID} // the operation's own bindings are about its requests
	for _, action := range actions {
		rule.Action = action
		w.out.Rules = append(w.out.Rules, rule)
	}
}

// grants are what the settings allow beyond the document.
func grants(s *settings.Settings) []plan.Grant {
	var list []plan.Grant
	for _, g := range s.Grants {
		list = append(list, plan.Grant{
			Principal: g.Principal.V, Actions: g.Actions, Kind: g.Kind, Name: g.Name, Prefix: g.Prefix, File: s.File, Line: g.Line,
		})
	}
	return list
}
