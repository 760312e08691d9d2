package operations_test

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/asyncgate/asyncgate/test/gateway"
	"github.com/asyncgate/asyncgate/test/mosquitto"
	"github.com/asyncgate/asyncgate/test/mqtt"
	"github.com/asyncgate/asyncgate/test/parts"
)

// mqttWorld is an example in front of a broker.
type mqttWorld struct {
	*example
	broker      *mosquittotest.Broker
	gateway     *gatewaytest.Gateway
	credentials *gatewaytest.Credentials
	keys        map[string]string
	watcher     *mqtttest.Conn // sees, at the broker itself, every message
	count       int            // of names and payloads, so that each is new
}

func newMQTT(t *testing.T, e *example) *mqttWorld {
	t.Helper()
	w := &mqttWorld{example: e, broker: mosquittotest.Start(t, mosquittotest.Options{}), keys: map[string]string{}}
	w.credentials = gatewaytest.NewCredentials(t)
	e.issue(t)
	for name, p := range e.Principals {
		if p.Token == "" {
			w.keys[name] = w.credentials.Key(name, p.scopes()...)
		}
	}
	w.gateway = e.gateway(t, w.credentials, w.wire(t))
	w.watcher = w.direct(t, "SUBSCRIBE id=1 filter=#:1")
	return w
}

// wire are the settings of a server that say where things are.
func (w *mqttWorld) wire(t *testing.T) map[string]any {
	t.Helper()
	return map[string]any{
		"listen": "127.0.0.1:0", "advertise": "localhost:0",
		"upstream": map[string]any{"address": w.broker.Address(mosquittotest.Open)},
		"tls": map[string]string{
			"certificate": w.broker.Certificate(t, "gateway-server.crt"), "key": w.broker.Certificate(t, "gateway-server.key"),
		},
	}
}

// proof is what a principal writes into CONNECT: an API key as the user name, or a token as the password.
func (w *mqttWorld) proof(t *testing.T, who string) (user, password string) {
	t.Helper()
	if issuer := w.issuer(who); issuer != nil {
		return who, issuer.MustToken(who)
	}
	return w.keys[who], ""
}

// direct is a connection to the broker itself, after a first packet.
func (w *mqttWorld) direct(t *testing.T, first string) *mqtttest.Conn {
	t.Helper()
	c := mqtttest.Dial(t, mqtttest.Target{URL: "mqtt://" + w.broker.Address(mosquittotest.Open)}, 5)
	c.Ask(t, "CONNECT clean id="+w.unique("direct"))
	if first != "" {
		c.Ask(t, first)
	}
	return c
}

// unique is a name that nothing else has.
func (w *mqttWorld) unique(what string) string {
	w.count++
	return fmt.Sprintf("%s-%d", what, w.count)
}

// came reports whether the broker has had a message with this payload by now.
func (w *mqttWorld) came(t *testing.T, payload string) (seen bool) {
	t.Helper()
	last := w.unique("last")
	w.watcher.Put(t, "PUBLISH topic=last payload="+last)
	for {
		switch p := w.watcher.Get(t); {
		case p.Name != "PUBLISH":
		case p.Text("payload") == last:
			return seen
		default:
			seen = seen || p.Text("payload") == payload
			if id := p.Text("id"); id != "" {
				w.watcher.Put(t, "PUBACK id="+id)
			}
		}
	}
}

// retained reports whether the broker keeps a payload for a topic.
func (w *mqttWorld) retained(t *testing.T, topic, payload string) bool {
	t.Helper()
	c := w.direct(t, "")
	c.Put(t, "SUBSCRIBE id=1 filter="+topic+":0", "PINGREQ")
	for {
		switch p := c.Get(t); p.Name {
		case "PUBLISH":
			return p.Text("payload") == payload
		case "PINGRESP":
			return false
		}
	}
}

// publish puts a message to the broker itself.
func (w *mqttWorld) publish(t *testing.T, topic, payload string) {
	t.Helper()
	c := w.direct(t, "")
	if p := c.Ask(t, fmt.Sprintf("PUBLISH topic=%s qos=1 id=1 payload=%s", topic, payload)); p.Name != "PUBACK" {
		t.Fatalf("instead of PUBACK: %s", p)
	}
}

// onMQTT has clients of both versions do every case of a document, and Mosquitto's own clients what they can.
func onMQTT(t *testing.T, e *example) {
	t.Helper()
	w := newMQTT(t, e)
	for column, client := range []func(*testing.T, *mqttWorld, string, *message) (mqttClient, string){paho5, paho3} {
		for _, s := range e.steps(t) {
			t.Run(fmt.Sprint(s.who, " ", s.does, ", MQTT ", []string{"5", "3.1.1"}[column]), func(t *testing.T) {
				if got := w.do(t, client, s.who, e.full(s.does)); got != s.outcomes[column] {
					t.Errorf("%s, want %s", got, s.outcomes[column])
				}
				if got := w.mosquitto(t, column, s.who, e.full(s.does)); got != "" && got != s.outcomes[column] {
					t.Errorf("Mosquitto's client: %s, want %s", got, s.outcomes[column])
				}
			})
		}
	}
}

// message is what is published, also as a will.
type message struct {
	topic, payload string
	qos            byte
	retained       bool
}

// intent reads what a client does: a verb and a message, or filters.
func intent(does string) (verb string, m message, filters []string) {
	words := strings.Fields(does)
	m = message{topic: words[1], qos: 1}
	for i, word := range words[1:] {
		switch {
		case word == "and":
		case word == "retained":
			m.retained = true
		case word == "qos":
			m.qos = words[i+2][0] - '0'
		case len(word) > 1 || word == "#":
			filters = append(filters, word)
		}
	}
	return words[0], m, filters
}

// do has a principal do something, and says what came out.
func (w *mqttWorld) do(t *testing.T, connect func(*testing.T, *mqttWorld, string, *message) (mqttClient, string), who, does string) string {
	t.Helper()
	verb, m, filters := intent(does)
	m.payload = w.unique("payload")
	if verb == "will" {
		c, refused := connect(t, w, who, &m)
		if refused != "" {
			return refused
		}
		c.drop()
		parts.Await(t, patience, "the will", func() bool { return w.came(t, m.payload) })
		return "delivered"
	}
	c, refused := connect(t, w, who, nil)
	if refused != "" {
		return refused
	}
	defer c.drop()
	if verb == "publish" {
		answer := c.publish(&m)
		c.settle()
		return w.published(t, answer, &m)
	}
	outcomes := c.subscribe(filters)
	payloads := make([]string, len(filters))
	for i, filter := range filters {
		payloads[i] = w.unique("payload")
		w.publish(t, sample(filter), payloads[i])
	}
	for i, payload := range payloads {
		if outcomes[i] == granted {
			parts.Await(t, patience, "a message for "+filters[i], func() bool { return slices.Contains(c.messages(), payload) })
			outcomes[i] = "delivered"
		}
	}
	c.settle()
	for i, payload := range payloads {
		if outcomes[i] != "delivered" && slices.Contains(c.messages(), payload) {
			outcomes[i] += ", but delivered"
		}
	}
	return strings.Join(outcomes, ", ")
}

// published says what became of a message, beside the answer.
func (w *mqttWorld) published(t *testing.T, answer string, m *message) string {
	t.Helper()
	delivered := w.came(t, m.payload)
	switch {
	case delivered && answer == acknowledged:
		answer = "delivered"
	case delivered:
		answer += ", but delivered"
	case m.qos == 0:
		answer = "dropped"
	case answer == acknowledged:
		answer += ", dropped"
	}
	if m.retained && w.retained(t, m.topic, m.payload) {
		answer += ", retained"
	}
	return answer
}

// sample is a topic that a filter matches.
func sample(filter string) string {
	if share, found := strings.CutPrefix(filter, "$share/"); found {
		_, filter, _ = strings.Cut(share, "/")
	}
	return strings.NewReplacer("+", "lamp-7", "#", "lamp-7/turn/on").Replace(filter)
}

// mosquitto has mosquitto_pub and mosquitto_sub do the same, and returns nothing for what they do not tell.
func (w *mqttWorld) mosquitto(t *testing.T, column int, who, does string) string {
	t.Helper()
	verb, m, filters := intent(does)
	m.payload = w.unique("payload")
	host, port, _ := strings.Cut(w.gateway.Address(t, w.Principals[who].Server), ":")
	args := []string{"-V", []string{"mqttv5", "mqttv311"}[column], "-h", host, "-p", port, "-d",
		"--cafile", w.broker.Certificate(t, "ca.crt"), "-q", fmt.Sprint(m.qos), "-i", w.unique("m")}
	user, password := w.proof(t, who)
	args = append(args, "-u", user)
	if password != "" {
		args = append(args, "-P", password)
	}
	name := "mosquitto_pub"
	switch {
	case verb == "publish" && m.qos > 0:
		args = append(args, "-t", m.topic, "-m", m.payload)
		if m.retained {
			args = append(args, "-r")
		}
	case verb == "subscribe":
		name, args = "mosquitto_sub", append(args, "-E")
		for _, filter := range filters {
			args = append(args, "-t", filter)
		}
	default:
		return ""
	}
	parts.Need(t, name)
	out, _ := exec.CommandContext(t.Context(), name, args...).CombinedOutput() // it ends with 1 where nothing was granted
	text := string(out)
	if strings.Contains(text, "Connection error: ") {
		return []string{"CONNACK 0x87", "CONNACK 0x05"}[column]
	}
	if verb == "publish" {
		answer := acknowledged
		if strings.Contains(text, "RC:135") || strings.Contains(text, "Not authorized") {
			answer = "0x87"
		}
		return w.published(t, answer, &m)
	}
	_, after, _ := strings.Cut(text, "Subscribed (mid: 1): ")
	line, _, _ := strings.Cut(after, "\n")
	outcomes := strings.Split(line, ", ")
	for i, code := range outcomes {
		switch code {
		case "1":
			outcomes[i] = "delivered"
		case "128", "135":
			outcomes[i] = map[string]string{"128": "0x80", "135": "0x87"}[code]
		default:
			return text
		}
	}
	return strings.Join(outcomes, ", ")
}
