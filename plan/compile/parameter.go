package compile

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/plan"
)

// parameter is what a {parameter} of an address may stand for. It answers false, with a problem, if the document narrows it
// in a way that is not enforced: allowing more than it says is out of the question.
func (c *compiler) parameter(w *work, o *asyncapi.Operation, channel *asyncapi.Channel, name string) (*plan.Parameter, bool) {
	p := &plan.Parameter{Name: name}
	for _, s := range w.set.Parameters {
		if s.Name == name {
			p.Dots, p.Principal = s.Dots.V && w.family == familyKafka, s.Principal.V
		}
	}
	for i := range channel.Parameters {
		declared := &channel.Parameters[i]
		if declared.Name != name {
			continue
		}
		v := &declared.Values
		if why := unenforceable(v); why != "" {
			c.add(plan.Warning, "security/parameter-schema", inDocument(v.Place), "use enum, pattern, minLength, maxLength or type: integer",
				"parameter %s of channel %s: %s; so operation %s allows nothing there", name, channel.Name, why, o.Name)
			return nil, false
		}
		p.Pattern, p.MinLength, p.MaxLength, p.Integer = v.Pattern.Value, v.MinLength.Value, v.MaxLength.Value, v.Integer
		for _, value := range v.Enum {
			p.Enum = append(p.Enum, value.Value)
			c.parameterValue(w, p, value)
		}
	}
	return p, true
}

// parameterValue warns of a value that no topic can have in that place.
func (c *compiler) parameterValue(w *work, p *plan.Parameter, value asyncapi.Text) {
	var why, hint string
	switch {
	case value.Value == "":
		why = "is empty"
	case w.family != familyKafka && strings.ContainsAny(value.Value, "/+#\x00"):
		why = "is more than one level of a topic"
	case w.family == familyKafka && strings.ContainsFunc(value.Value, func(r rune) bool { return !legalInKafka(r, true) }):
		why = "has a character that no topic of Kafka has"
	case w.family == familyKafka && !p.Dots && strings.Contains(value.Value, "."):
		why, hint = "has a dot, which parameters have not on Kafka", block(w.doc.Name, "parameters: { "+p.Name+": { dots: true } }")
	default:
		return
	}
	c.add(plan.Warning, "security/parameter-value", inDocument(value.Place), hint, "the value %q of parameter %s %s, so it never counts", value.Value, p.Name, why)
}

// unenforceable says what of a schema would be passed over; empty if nothing.
func unenforceable(v *asyncapi.Values) string {
	if len(v.Other) > 0 {
		return fmt.Sprintf("%q of its schema is not enforced", v.Other[0].Value)
	}
	if v.Enum != nil && len(v.Enum) == 0 {
		return "its enum is empty"
	}
	if v.MaxLength.Stated() && v.MaxLength.Value == 0 {
		return "its value would have to be empty"
	}
	if _, err := regexp.Compile(v.Pattern.Value); err != nil {
		return fmt.Sprintf("its pattern %q is beyond RE2, which is what is enforced", v.Pattern.Value)
	}
	return ""
}

// parameterNames reports parameters of the settings that no channel of a server has.
func (c *compiler) parameterNames(w *work) {
	known := map[string]bool{}
	for i := range c.doc.Channels {
		channel := &c.doc.Channels[i]
		if !c.has(w, channel) {
			continue
		}
		text := channel.Address.Value
		if topic := topicBinding(w, channel); topic != nil {
			text = topic.Value
		}
		for _, at := range placeholder.FindAllStringSubmatch(text, -1) {
			known[at[1]] = true
		}
	}
	for _, p := range w.set.Parameters {
		switch {
		case !known[p.Name]:
			c.add(plan.Error, "settings/parameter", c.inSettings(p.At), "", "no channel of server %s has a parameter {%s} in its address", w.doc.Name, p.Name)
		case p.Dots.V && w.family != familyKafka:
			c.add(plan.Warning, "settings/no-effect", c.inSettings(p.Dots.At), "", "dots count for nothing on %s: a parameter is one level", w.speaks())
		}
	}
}
