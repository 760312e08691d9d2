package compile

import (
	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/plan"
)

// narrow is what the bindings of an operation demand beyond its address. It answers false, with a problem, if one cannot be
// enforced.
func (c *compiler) narrow(w *work, o *asyncapi.Operation) (plan.Narrow, bool) {
	var n plan.Narrow
	switch {
	case w.family == familyKafka && o.Kafka != nil:
		if why := bindingSchema(o.Kafka.GroupID); why != "" {
			c.add(plan.Warning, "security/binding-schema", inDocument(o.Kafka.GroupID.Place), "use enum or pattern",
				"groupId of operation %s: %s; so the operation allows nothing", o.Name, why)
			return n, false
		}
		n.GroupID = valuesOf(o.Kafka.GroupID)
		if bindingSchema(o.Kafka.ClientID) == "" {
			n.ClientID = valuesOf(o.Kafka.ClientID)
		}
		if n.ClientID != nil {
			c.add(plan.Note, "security/client-id", inDocument(o.Kafka.ClientID.Place), "", "clients choose their client id, so it proves nothing, and is not enforced")
		}
	case w.family == familyMQTT && o.MQTT != nil:
		if o.MQTT.QoS.Stated() {
			n.QoS = []int{o.MQTT.QoS.Value}
		}
		if o.MQTT.Retain.Stated() {
			n.Retain = &o.MQTT.Retain.Value
		}
	}
	return n, true
}

// bindingSchema says what of a schema in a binding would be passed over; empty if nothing.
func bindingSchema(v *asyncapi.Values) string {
	switch {
	case v == nil:
		return ""
	case v.MinLength.Stated():
		return "\"minLength\" of its schema is not enforced"
	case v.MaxLength.Stated():
		return "\"maxLength\" of its schema is not enforced"
	case v.Integer:
		return "\"type: integer\" of its schema is not enforced"
	}
	return unenforceable(v)
}

// valuesOf is a set of strings, or nil for one that has all.
func valuesOf(v *asyncapi.Values) *plan.Values {
	if v == nil || len(v.Enum) == 0 && v.Pattern.Value == "" {
		return nil
	}
	out := &plan.Values{Pattern: v.Pattern.Value}
	for _, value := range v.Enum {
		out.Enum = append(out.Enum, value.Value)
	}
	return out
}
