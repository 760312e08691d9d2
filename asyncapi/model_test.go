package asyncapi_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/internal/cases"
)

// What the reader makes of channels, operations, messages and their bindings, and where everything stands.
func TestModel(t *testing.T) {
	for _, c := range cases.Load(t, "testdata/model.txt").Cases {
		t.Run(c.Name, func(t *testing.T) {
			files := memory{}
			if c.Has("file a.yaml") {
				files["a.yaml"] = c.Part("file a.yaml")
			}
			doc, problems := asyncapi.ReadFrom("document.yml", []byte(c.Part(cases.Input)), files)
			if doc == nil {
				t.Fatal(problems)
			}
			c.Expect(t, "model", model(doc))
			c.Expect(t, "problems", listing(problems))
		})
	}
}

// The model of the specification's own examples.
func TestModelOfOfficialDocuments(t *testing.T) {
	for _, c := range cases.Load(t, "testdata/official.txt").Cases {
		t.Run(c.Name, func(t *testing.T) {
			c.Expect(t, "model", model(official(t, c.Name)))
		})
	}
}

// model writes a document in lines that are compared by eye with its text.
func model(d *asyncapi.Document) string {
	var b strings.Builder
	for i := range d.Servers {
		if s := &d.Servers[i]; s.MQTT != nil || s.Kafka != nil {
			fmt.Fprintf(&b, "server %s %s%s\n", s.Name, spot(s.Place), serverBinding(s))
		}
	}
	for i := range d.Channels {
		writeChannel(&b, "channel", &d.Channels[i])
	}
	for i := range d.Operations {
		writeOperation(&b, "operation", &d.Operations[i])
	}
	for i := range d.Components.Channels {
		writeChannel(&b, "component channel", &d.Components.Channels[i])
	}
	for i := range d.Components.Operations {
		writeOperation(&b, "component operation", &d.Components.Operations[i])
	}
	for _, m := range d.Components.Messages {
		fmt.Fprintf(&b, "component message%s\n", messages([]*asyncapi.Message{m}))
	}
	for _, o := range d.Components.Others {
		fmt.Fprintf(&b, "component %s %s %s\n", o.Kind, o.Name, spot(o.Place))
	}
	return b.String()
}

// spot is where something stands: its line, after the file if that is not the document's.
func spot(p asyncapi.Place) string {
	if p.File == "a.yaml" {
		return fmt.Sprintf("@a.yaml:%d", p.Line)
	}
	return fmt.Sprintf("@%d", p.Line)
}

func stated(name string, t asyncapi.Text) string {
	if !t.Stated() {
		return ""
	}
	return fmt.Sprintf(" %s=%q%s", name, t.Value, spot(t.Place))
}

func number(name string, n asyncapi.Number) string {
	if !n.Stated() {
		return ""
	}
	return fmt.Sprintf(" %s=%d%s", name, n.Value, spot(n.Place))
}

func flagged(name string, f asyncapi.Flag) string {
	if !f.Stated() {
		return ""
	}
	return fmt.Sprintf(" %s=%v%s", name, f.Value, spot(f.Place))
}

func serverBinding(s *asyncapi.Server) string {
	out := ""
	if k := s.Kafka; k != nil {
		out += " kafka" + stated("registry", k.SchemaRegistryURL)
	}
	if m := s.MQTT; m != nil {
		out += " mqtt" + stated("clientId", m.ClientID) + flagged("cleanSession", m.CleanSession) + number("keepAlive", m.KeepAlive) +
			number("sessionExpiry", m.SessionExpiryInterval) + number("maximumPacketSize", m.MaximumPacketSize)
		if w := m.LastWill; w != nil {
			out += " will" + stated("topic", w.Topic) + number("qos", w.QoS) + flagged("retain", w.Retain)
		}
	}
	return out
}

func writeChannel(b *strings.Builder, what string, c *asyncapi.Channel) {
	fmt.Fprintf(b, "%s %s %s defined %s%s%s\n", what, c.Name, spot(c.Place), spot(c.Definition), stated("address", c.Address), broken(c.Broken))
	for _, s := range c.Servers {
		fmt.Fprintf(b, "  on %q %s%s\n", s.Name, spot(s.Place), broken(s.Broken))
	}
	for _, p := range c.Parameters {
		fmt.Fprintf(b, "  parameter %s %s:%s%s%s\n", p.Name, spot(p.Place), values(p.Values), stated("location", p.Location), broken(p.Broken))
	}
	if k := c.Kafka; k != nil {
		fmt.Fprintf(b, "  kafka%s%s%s", stated("topic", k.Topic), number("partitions", k.Partitions), number("replicas", k.Replicas))
		for _, s := range k.Configuration {
			fmt.Fprintf(b, " %s=%s", s.Name, s.Value)
		}
		b.WriteString("\n")
	}
	if w := c.WebSocket; w != nil {
		fmt.Fprintf(b, "  ws%s", stated("method", w.Method))
		for _, p := range append(w.Query, w.Headers...) {
			fmt.Fprintf(b, " %s%s required=%v", p.Name, spot(p.Place), p.Required)
		}
		b.WriteString("\n")
	}
	if len(c.Messages) > 0 {
		fmt.Fprintf(b, "  messages%s\n", messages(c.Messages))
	}
}

func writeOperation(b *strings.Builder, what string, o *asyncapi.Operation) {
	channel := "none"
	if o.Channel != nil {
		channel = o.Channel.Name
	}
	fmt.Fprintf(b, "%s %s %s: %s in %s%s\n", what, o.Name, spot(o.Place), o.Action.Value, channel, broken(o.Broken))
	if s := o.Security; s != nil {
		for _, q := range s.Requirements {
			fmt.Fprintf(b, "  security %s%s", spot(q.Place), broken(q.Broken))
			for _, use := range q.Schemes {
				fmt.Fprintf(b, " %s", use.Scheme.Type.Value)
				for _, scope := range use.Scopes {
					fmt.Fprintf(b, " %s%s", scope.Value, spot(scope.Place))
				}
			}
			b.WriteString("\n")
		}
	}
	if k := o.Kafka; k != nil {
		b.WriteString("  kafka")
		if k.GroupID != nil {
			b.WriteString(" groupId" + values(*k.GroupID))
		}
		if k.ClientID != nil {
			b.WriteString(" clientId" + values(*k.ClientID))
		}
		b.WriteString("\n")
	}
	if m := o.MQTT; m != nil {
		fmt.Fprintf(b, "  mqtt%s%s\n", number("qos", m.QoS), flagged("retain", m.Retain))
	}
	if r := o.Reply; r != nil {
		channel = "none"
		if r.Channel != nil {
			channel = r.Channel.Name
		}
		fmt.Fprintf(b, "  reply %s in %s%s%s\n", spot(r.Place), channel, stated("location", r.Location), broken(r.Broken))
	}
	if len(o.Messages) > 0 {
		fmt.Fprintf(b, "  messages%s\n", messages(o.Messages))
	}
}

func broken(is bool) string { return map[bool]string{true: " BROKEN"}[is] }

func values(v asyncapi.Values) string {
	out := ""
	if v.Enum != nil && len(v.Enum) == 0 {
		out = " none"
	}
	for _, e := range v.Enum {
		out += fmt.Sprintf(" %q", e.Value)
	}
	out += stated("pattern", v.Pattern) + number("min", v.MinLength) + number("max", v.MaxLength)
	if v.Integer {
		out += " integer"
	}
	for _, o := range v.Other {
		out += " ?" + o.Value
	}
	if out == "" {
		return " any"
	}
	return out
}

func messages(list []*asyncapi.Message) string {
	out := ""
	for _, m := range list {
		out += fmt.Sprintf(" %s%s", m.Name, spot(m.Place))
		if m.Payload.Stated() {
			out += " payload" + spot(m.Payload)
		}
		if m.Headers.Stated() {
			out += " headers" + spot(m.Headers)
		}
		if m.Kafka != nil {
			out += " key" + spot(m.Kafka.Key)
		}
		out += broken(m.Broken)
	}
	return out
}
