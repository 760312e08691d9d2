package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/policy"
	"github.com/asyncgate/asyncgate/sasl"
)

// printCommands says how to try the demo with a client of one's own.
func (d *demo) printCommands() error {
	fmt.Fprintf(d.env.stdout, "\nThe files of %s, as you would write them, are in %s\n", d.document, d.dir)
	for i := range d.plan.Servers {
		s := &d.plan.Servers[i]
		if !s.Enforced {
			continue
		}
		if s.MQTT != nil {
			fmt.Fprintf(d.env.stdout, "\n# %s, as alice\n%s\n", s.Name, d.mqttCommands(s))
			continue
		}
		c := d.clientOf(s)
		properties := d.path(s.Name + ".properties")
		if err := c.writeProperties(properties); err != nil {
			return err
		}
		fmt.Fprintf(d.env.stdout, "\n# %s, as alice\n", s.Name)
		w := d.works[s.Name]
		if w.produce != "" {
			fmt.Fprintf(d.env.stdout, "%s\n%s\n", c.kcat(w.produce), c.python(w.produce))
		}
		if w.consume != "" {
			fmt.Fprintln(d.env.stdout, c.console(w.consume, w.group, properties))
		}
	}
	return nil
}

// client is how alice's client is configured for one server.
type client struct {
	address   string
	protocol  string // as Kafka clients spell it
	mechanism string // empty: her certificate
	user      string
	password  string
	endpoint  string // where she gets a token; empty: she logs in otherwise
	authority string // path of the PEM bundle; empty: plaintext
	identity  string // path of her certificate without its ending; empty: none
}

// clientOf takes the first scheme of the server that is enforced, certificates last: a password is easier to type.
func (d *demo) clientOf(s *plan.Server) client {
	c := client{address: s.Listen, user: "alice", password: d.people.password}
	if offered := policy.Mechanisms(s); len(offered) > 0 {
		c.mechanism = offered[0]
		for _, a := range s.Alternatives {
			if a.Enabled && a.All[0].Type == "apiKey" && c.mechanism == sasl.Plain {
				c.user, c.password = d.people.key, "ignored"
				if a.All[0].In == "password" {
					c.user, c.password = "alice", d.people.key
				}
			}
		}
	}
	if c.mechanism == sasl.OAuthBearer {
		c.endpoint = d.issuer.URL() + "/token"
	}
	switch {
	case s.TLS != nil && c.mechanism != "":
		c.protocol = "SASL_SSL"
	case s.TLS != nil:
		c.protocol = "SSL"
	case c.mechanism != "":
		c.protocol = "SASL_PLAINTEXT"
	default:
		c.protocol = "PLAINTEXT"
	}
	if s.TLS != nil {
		c.authority = d.path("ca.pem")
		if c.mechanism == "" {
			c.identity = d.path("alice")
		}
	}
	return c
}

// settings are the settings of librdkafka, which kcat and Python's client share.
func (c client) settings() [][2]string {
	all := [][2]string{{"bootstrap.servers", c.address}, {"security.protocol", c.protocol}}
	if c.authority != "" {
		all = append(all, [2]string{"ssl.ca.location", c.authority})
	}
	switch {
	case c.endpoint != "":
		all = append(all, [2]string{"sasl.mechanism", c.mechanism}, [2]string{"sasl.oauthbearer.method", "oidc"},
			[2]string{"sasl.oauthbearer.token.endpoint.url", c.endpoint},
			[2]string{"sasl.oauthbearer.client.id", c.user}, [2]string{"sasl.oauthbearer.client.secret", c.password})
	case c.mechanism != "":
		all = append(all, [2]string{"sasl.mechanism", c.mechanism}, [2]string{"sasl.username", c.user}, [2]string{"sasl.password", c.password})
	}
	if c.identity != "" {
		all = append(all, [2]string{"ssl.certificate.location", c.identity + ".pem"}, [2]string{"ssl.key.location", c.identity + ".key"})
	}
	return all
}

func (c client) kcat(topic string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "echo hello | kcat -P -t %s", topic)
	for _, s := range c.settings() {
		fmt.Fprintf(&b, " -X %s=%s", s[0], s[1])
	}
	if strings.HasPrefix(c.mechanism, "SCRAM") {
		b.WriteString("   # with librdkafka 2.6.1 or later")
	}
	return b.String()
}

func (c client) python(topic string) string {
	var b strings.Builder
	for i, s := range c.settings() {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "'%s': '%s'", s[0], s[1])
	}
	return fmt.Sprintf(`python3 -c "from confluent_kafka import Producer; p = Producer({%s}); p.produce('%s', 'hello'); print(p.flush(10), 'left')"`, b.String(), topic)
}

func (c client) console(topic, group, properties string) string {
	allowed := ""
	if c.endpoint != "" {
		allowed = "KAFKA_OPTS=-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=" + c.endpoint + " "
	}
	return allowed + fmt.Sprintf("kafka-console-consumer.sh --bootstrap-server %s --topic %s --group %s --from-beginning --timeout-ms 10000 --command-config %s", c.address, topic, group, properties)
}

// writeProperties writes the configuration of Kafka's Java tools.
func (c client) writeProperties(path string) error {
	lines := []string{"security.protocol=" + c.protocol}
	if c.authority != "" {
		lines = append(lines, "ssl.truststore.type=PEM", "ssl.truststore.location="+c.authority)
	}
	switch {
	case c.endpoint != "":
		lines = append(lines, "sasl.mechanism="+c.mechanism, "sasl.oauthbearer.token.endpoint.url="+c.endpoint,
			"sasl.login.callback.handler.class=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler",
			fmt.Sprintf(`sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required clientId="%s" clientSecret="%s";`, c.user, c.password))
	case c.mechanism != "":
		module := "scram.ScramLoginModule"
		if c.mechanism == sasl.Plain {
			module = "plain.PlainLoginModule"
		}
		lines = append(lines, "sasl.mechanism="+c.mechanism, fmt.Sprintf(
			`sasl.jaas.config=org.apache.kafka.common.security.%s required username="%s" password="%s";`, module, c.user, c.password))
	}
	if c.identity != "" { // Java wants the key and the chain in one file
		var store []byte
		for _, ending := range []string{".key", ".pem"} {
			data, err := os.ReadFile(c.identity + ending)
			if err != nil {
				return err
			}
			store = append(store, data...)
		}
		if err := os.WriteFile(c.identity+"-keystore.pem", store, 0o600); err != nil { // #nosec G703 -- in the demo's own folder
			return err
		}
		lines = append(lines, "ssl.keystore.type=PEM", "ssl.keystore.location="+c.identity+"-keystore.pem")
	}
	return os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600)
}
