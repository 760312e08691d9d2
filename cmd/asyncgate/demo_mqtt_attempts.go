package main

import (
	"context"
	"crypto/tls"
	"io"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/policy"
	"github.com/asyncgate/asyncgate/sasl"
)

// mqttAttempts are the ways to try on a server that speaks MQTT.
func (d *demo) mqttAttempts(s *plan.Server) []attempt {
	var all []attempt
	try := func(scheme, what, code string, do func(context.Context) error) {
		all = append(all, attempt{s, scheme, what, code, do})
	}
	task := d.works[s.Name]
	var in *mqttLogin // the first that is right
	add := func(scheme, what, code string, l mqttLogin) {
		if code == "" && in == nil {
			in = &l
		}
		try(scheme, what, code, func(ctx context.Context) error { return d.asMQTTClient(ctx, s, l, task.produce, task.consume) })
	}
	logins, shown := 0, map[string]bool{}
	for _, a := range s.Alternatives {
		for _, r := range a.All {
			if !a.Enabled || len(a.All) > 1 || shown[r.Type+r.In] || onlyInRequest(r) {
				continue
			}
			shown[r.Type+r.In] = true
			switch {
			case r.Type == "X509":
				d.mqttCertificates(add, len(policy.Mechanisms(s)) > 0 || proves(s, sasl.Password) || proves(s, sasl.Basic))
				continue
			case r.Type == "apiKey":
				d.mqttKeys(add, r.In)
			case isToken(r):
				d.mqttTokens(add, s, r)
			default:
				d.mqttPasswords(add, r)
			}
			if alice, bob := d.mqttNeighbours(r); logins == 0 {
				try("any", "bob under alice's client id; hers goes on", "", func(ctx context.Context) error {
					return d.asAnother(ctx, s, alice, bob)
				})
			}
			logins++
		}
	}
	if logins > 0 {
		code := "no-credentials"
		if shown["X509"] {
			code = "no-certificate"
		}
		add("any", "no login", code, mqttLogin{})
	}
	if !s.MQTT.WebSocket && !(logins == 0 && shown["X509"]) { // where a certificate is needed TLS has ended by then
		for _, first := range mqttFirst {
			try("any", first.what, first.code, func(ctx context.Context) error { return d.mqttRaw(ctx, s, first.bytes) })
		}
	}
	if s.TLS != nil {
		try("any", "plaintext to the TLS port", "not-tls", func(ctx context.Context) error {
			return rawBytes(ctx, s.Listen, "\x10\x0d\x00\x04MQTT\x04\x02\x00\x0a\x00\x01a")
		})
	}
	for _, m := range task.mischief() {
		if in != nil {
			try("operations", m.what, "not-allowed", func(ctx context.Context) error { return d.asMQTTClient(ctx, s, *in, m.produce, m.consume) })
		}
	}
	return all
}

type mqttAdder func(scheme, what, code string, l mqttLogin)

// mqttPasswords tries the schemes with a user and a password: in CONNECT, by a method of AUTH, or in the HTTP request.
func (d *demo) mqttPasswords(add mqttAdder, r plan.Requirement) {
	for _, m := range r.Mechanisms {
		scheme := r.Type
		if len(r.Mechanisms) > 1 {
			scheme += ", " + m
		}
		as := func(user, password string) mqttLogin { return mqttAs(m, user, password) }
		add(scheme, "alice with her password", "", as("alice", d.people.password))
		add(scheme, "alice with a wrong password", "wrong-password", as("alice", "guess"))
		add(scheme, "a user that nobody knows", "unknown-user", as("nobody", d.people.password))
		add(scheme, "carol, whose password has expired", "expired", as("carol", d.people.password))
	}
}

// mqttAs is a login by a mechanism.
func mqttAs(mechanism, user, password string) mqttLogin {
	switch mechanism {
	case sasl.Password:
		return mqttLogin{user: user, password: password}
	case sasl.Basic:
		return mqttLogin{basic: user + ":" + password}
	}
	return mqttLogin{user: user, password: password, method: mechanism}
}

func mqttKey(in, key string) mqttLogin {
	if in == "user" {
		return mqttLogin{user: key}
	}
	return mqttLogin{password: key}
}

func (d *demo) mqttKeys(add mqttAdder, in string) {
	scheme := "apiKey in " + in
	add(scheme, "alice's key", "", mqttKey(in, d.people.key))
	add(scheme, "a key with a letter changed", "unknown-key", mqttKey(in, changed(d.people.key)))
	add(scheme, "dave's key, which was revoked", "revoked", mqttKey(in, d.people.revokedKey))
}

func (d *demo) mqttCertificates(add mqttAdder, optional bool) {
	add("X509", "alice's certificate", "", mqttLogin{certificate: "alice"})
	if optional {
		return // without one, or with one that nobody knows, the other schemes are still open
	}
	add("X509", "no certificate", "certificate-missing", mqttLogin{})
	add("X509", "a certificate that nobody knows", sasl.CodeUnknownCert, mqttLogin{certificate: "stranger"})
	add("X509", "alice's name, of another authority", "certificate-authority", mqttLogin{certificate: "mallory"})
}

// mqttNeighbours are alice and bob under a scheme.
func (d *demo) mqttNeighbours(r plan.Requirement) (alice, bob mqttLogin) {
	if r.Type == "apiKey" {
		return mqttKey(r.In, d.people.key), mqttKey(r.In, d.people.bobsKey)
	}
	if isToken(r) {
		return d.mqttToken("alice"), d.mqttToken("bob")
	}
	m := r.Mechanisms[0]
	return mqttAs(m, "alice", d.people.password), mqttAs(m, "bob", d.people.password)
}

// mqttRaw sends bytes, inside TLS where the server has it, and reports how the server ended the connection; nil means
// that it answered.
func (d *demo) mqttRaw(ctx context.Context, s *plan.Server, sent string) error {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	if s.TLS == nil {
		return rawBytes(ctx, s.Listen, sent)
	}
	config, err := d.clientTLS("")
	if err != nil {
		return err
	}
	conn, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", s.Listen)
	if err != nil {
		return err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, sent); err != nil {
		return err
	}
	_, err = conn.Read(make([]byte, 1))
	return err
}
