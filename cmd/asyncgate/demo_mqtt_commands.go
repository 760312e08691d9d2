package main

import (
	"fmt"
	"net"
	"strings"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/sasl"
)

// mqttCommands are lines to try a server with: mosquitto's clients, and Python.
func (d *demo) mqttCommands(s *plan.Server) string {
	user, password, needsAuth := d.mqttUser(s)
	if needsAuth {
		return fmt.Sprintf("# asks for enhanced authentication (MQTT 5, AUTH): as %s, password %s, by a client that has it, such as MQTT.js or paho.golang, at %s",
			user, password, mqttURL(s))
	}
	w, lines := d.works[s.Name], []string{}
	if !s.MQTT.WebSocket { // which mosquitto's clients do not speak
		host, port, _ := net.SplitHostPort(s.Listen)
		options := fmt.Sprintf("-h %s -p %s", host, port)
		for _, o := range [][2]string{{"-u", user}, {"-P", password}} {
			if o[1] != "" {
				options += " " + o[0] + " " + o[1]
			}
		}
		if s.TLS != nil {
			options += " --cafile " + d.path("ca.pem")
			if user+password == "" {
				options += " --cert " + d.path("alice.pem") + " --key " + d.path("alice.key")
			}
		}
		if w.consume != "" {
			lines = append(lines, "mosquitto_sub "+options+" -t "+w.consume+" -C 1")
		}
		if w.produce != "" {
			lines = append(lines, "mosquitto_pub "+options+" -t "+w.produce+" -q 1 -m hello")
		}
	}
	if w.produce != "" {
		lines = append(lines, d.mqttPython(s, user, password, w.produce))
	}
	return strings.Join(lines, "\n")
}

// mqttUser is what alice puts into CONNECT.
func (d *demo) mqttUser(s *plan.Server) (user, password string, needsAuth bool) {
	for _, a := range s.Alternatives {
		if !a.Enabled || len(a.All) > 1 {
			continue
		}
		switch r := a.All[0]; {
		case r.Type == "apiKey" && r.In == "user":
			return d.people.key, "", false
		case r.Type == "apiKey":
			return "alice", d.people.key, false
		case proves(s, sasl.Password):
			return "alice", d.people.password, false
		}
	}
	if proves(s, sasl.External) {
		return "", "", false
	}
	return "alice", d.people.password, true
}

// mqttPython publishes with paho-mqtt 2.
func (d *demo) mqttPython(s *plan.Server, user, password, topic string) string {
	host, port, _ := net.SplitHostPort(s.Listen)
	var b strings.Builder
	b.WriteString("import paho.mqtt.client as m; c = m.Client(m.CallbackAPIVersion.VERSION2, protocol=m.MQTTv5")
	if s.MQTT.WebSocket {
		b.WriteString(", transport='websockets'")
	}
	b.WriteString("); ")
	if s.MQTT.WebSocket && s.MQTT.Path != "" {
		fmt.Fprintf(&b, "c.ws_set_options('%s'); ", s.MQTT.Path)
	}
	if s.TLS != nil {
		fmt.Fprintf(&b, "c.tls_set('%s'", d.path("ca.pem"))
		if user+password == "" {
			fmt.Fprintf(&b, ", '%s', '%s'", d.path("alice.pem"), d.path("alice.key"))
		}
		b.WriteString("); ")
	}
	if user != "" {
		fmt.Fprintf(&b, "c.username_pw_set('%s'", user)
		if password != "" {
			fmt.Fprintf(&b, ", '%s'", password)
		}
		b.WriteString("); ")
	}
	fmt.Fprintf(&b, "c.connect('%s', %s); c.loop_start(); i = c.publish('%s', 'hello', qos=1); i.wait_for_publish(10); print(i.is_published())",
		host, port, topic)
	return `python3 -c "` + b.String() + `"`
}
