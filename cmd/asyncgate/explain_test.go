package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

const ordersDocument = `asyncapi: 3.0.0
info: { title: Orders, version: 1.0.0 }
servers:
  prod:
    host: kafka.example.org:9093
    protocol: kafka-secure
    security: [ { $ref: '#/components/securitySchemes/scram' } ]
  home:
    host: mqtt.example.org:8883
    protocol: mqtts
    security: [ { type: userPassword } ]
channels:
  orders:
    address: orders.{region}
    servers: [ { $ref: '#/servers/prod' } ]
    parameters: { region: { enum: [ eu, us ] } }
  events:
    address: events.{id}
    servers: [ { $ref: '#/servers/prod' } ]
    parameters: { id: {} }
  lights:
    address: home/{room}/light
    servers: [ { $ref: '#/servers/home' } ]
    parameters: { room: {} }
operations:
  sendOrder: { action: send, channel: { $ref: '#/channels/orders' } }
  readEvents:
    action: receive
    channel: { $ref: '#/channels/events' }
    security: [ { type: oauth2, flows: { clientCredentials: { tokenUrl: 'https://id.example.org', availableScopes: {} } }, scopes: [] } ]
  switchLight: { action: receive, channel: { $ref: '#/channels/lights' } }
components:
  securitySchemes:
    scram: { type: scramSha512 }
`

const ordersSettings = `enforce: connections
admins: [ops]
servers:
  prod: { upstream: { bootstrap: ['k:1'] } }
  home: { upstream: { address: 'mqtt://m:1' } }
grants:
  - { principal: bob, topic: "retry.*", actions: [produce] }
`

func TestExplainSaysWhyAndWhere(t *testing.T) {
	dir := put(t, map[string]string{"orders.yml": ordersDocument, "asyncgate.yaml": ordersSettings})
	doc := filepath.Join(dir, "orders.yml")
	for _, c := range []struct {
		args     string
		code     int
		reason   string // a part of it
		line     int
		pointer  string
		settings bool
	}{
		{args: "prod alice produce topic:orders.eu", code: 0, reason: "an operation of the document", line: 26, pointer: "/operations/sendOrder"},
		{args: "prod alice consume topic:orders.eu", code: 4, reason: "the opposite", line: 26, pointer: "/operations/sendOrder"},
		{args: "prod alice produce topic:orders.asia", code: 4, reason: "no operation of the document"},
		{args: "prod alice consume topic:events.1", code: 4, reason: "security", line: 27, pointer: "/operations/readEvents"},
		{args: "prod bob produce topic:retry.a", code: 0, reason: "a grant", line: 7, settings: true},
		{args: "prod ops delete topic:anything", code: 0, reason: "admins"},
		{args: "prod alice use group:alice-1", code: 0, reason: "own"},
		{args: "prod alice use transaction:bob", code: 4, reason: "neither"},
		{args: "prod alice produce topic:orders.eu --mechanism PLAIN", code: 4, reason: "does not let it in", pointer: "/servers/prod"},
		{args: "home lamp consume topic:home/+/light", code: 0, reason: "an operation of the document", line: 31, pointer: "/operations/switchLight"},
		{args: "home lamp consume topic:home/#", code: 4, reason: "reaches topics"},
		{args: "nowhere alice produce topic:x", code: 2},
		{args: "prod alice produce queue:x", code: 2},
		{args: "prod alice eat topic:x", code: 2},
	} {
		f := strings.Fields(c.args)
		args := append([]string{"explain", doc, "--server", f[0], "--principal", f[1], "--action", f[2], "--resource", f[3], "--output", "json"}, f[4:]...)
		code, out, errs := invoke(t, "", args...)
		if code != c.code {
			t.Errorf("%s: exit %d, want %d: %s%s", c.args, code, c.code, out, errs)
			continue
		}
		if code == exitUsage {
			continue
		}
		var got explained
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Fatalf("%s: %v: %s", c.args, err, out)
		}
		file := ""
		if c.line > 0 {
			if file = "orders.yml"; c.settings {
				file = "asyncgate.yaml"
			}
		}
		if got.Allowed != (code == 0) || !strings.Contains(got.Reason, c.reason) || got.Line != c.line || got.Pointer != c.pointer ||
			!strings.HasSuffix(got.File, file) {
			t.Errorf("%s: %+v", c.args, got)
		}
	}
}

func TestExpectedDecisions(t *testing.T) {
	good := "server: prod\nprincipals: { alice: { mechanism: SCRAM-SHA-512, scopes: [x] } }\ncases:\n" +
		"  - alice may produce orders.eu\n  - alice may not produce orders.asia\n  - bob may produce topic:retry.1\n  - alice may use group:alice.x\n"
	dir := put(t, map[string]string{
		"orders.yml": ordersDocument, "asyncgate.yaml": ordersSettings, "good.yml": good,
		"bad.yml":      good + "  - alice may produce payroll\n",
		"sentence.yml": "server: prod\ncases:\n  - alice can produce payroll\n",
		"unknown.yml":  "sever: prod\ncases: [ alice may produce x ]\n",
		"none.yml":     "server: prod\n",
		"list.yml":     "- bob may produce topic:retry.1\n- bob may not produce payroll\n",
	})
	for _, c := range []struct {
		file string
		code int
		says string
	}{
		{"good.yml", 0, "4 as expected, 0 not"},
		{"bad.yml", 1, "bad.yml:8: no operation of the document"},
		{"sentence.yml", 2, "sentence.yml:3: a case reads"},
		{"unknown.yml", 2, "sever"},
		{"none.yml", 2, "no cases"},
		{"list.yml", 0, "2 as expected, 0 not"},
		{"absent.yml", 2, "absent.yml"},
	} {
		code, out, errs := invoke(t, "", "test", "--server", "prod", filepath.Join(dir, "orders.yml"), filepath.Join(dir, c.file))
		if code != c.code || !strings.Contains(out+errs, c.says) {
			t.Errorf("%s: exit %d, want %d: %s%s", c.file, code, c.code, out, errs)
		}
	}
	_, out, _ := invoke(t, "", "test", filepath.Join(dir, "orders.yml"), filepath.Join(dir, "bad.yml"), "--output", "json")
	var got struct {
		Cases          []tested
		Passed, Failed int
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || got.Passed != 4 || got.Failed != 1 || got.Cases[4].Passed || got.Cases[4].Line != 8 {
		t.Errorf("%v: %s", err, out)
	}
}
