package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/policy"
	"github.com/asyncgate/asyncgate/sasl"
)

// attempt is one way to try to get in: a line of the self-check.
type attempt struct {
	server *plan.Server
	scheme string
	what   string
	code   string // of the audit record that must tell of the refusal; empty: the attempt must succeed
	try    func(context.Context) error
}

// way is how a client comes to a server.
type way struct {
	login       kgo.Opt // nil: without SASL
	certificate string  // name of the certificate to show; empty: none
}

// attempts are the ways to try on one server: for each of its schemes the right way and the wrong ones, and what is wrong
// on every server.
func (d *demo) attempts(s *plan.Server) []attempt {
	if s.MQTT != nil {
		return d.mqttAttempts(s)
	}
	var all []attempt
	task := d.works[s.Name]
	var in *way // the first that is right
	add := func(scheme, what, code string, w way) {
		if code == "" && in == nil {
			in = &w
		}
		all = append(all, attempt{s, scheme, what, code, func(ctx context.Context) error { return d.asClient(ctx, s, w, task.produce, task.consume) }})
	}
	offered := policy.Mechanisms(s)
	shown := map[string]bool{}
	for _, a := range s.Alternatives {
		for _, r := range a.All {
			if !a.Enabled || len(a.All) > 1 || shown[r.Type+r.In] {
				continue
			}
			shown[r.Type+r.In] = true
			switch {
			case r.Type == "X509":
				d.certificateAttempts(add, len(offered) > 0)
			case r.Type == "apiKey":
				d.keyAttempts(add, r.In)
			case isToken(r):
				d.tokenAttempts(add, s, r)
			default:
				d.passwordAttempts(add, r)
			}
		}
	}
	if len(offered) > 0 {
		add("any", "no login", "login-required", way{})
		if other := notOffered(offered); other != "" {
			add("any", "a mechanism that is not declared", "unsupported-mechanism", way{login: login(other, "alice", d.people.password)})
		}
	}
	if s.TLS != nil {
		all = append(all, attempt{s, "any", "plaintext to the TLS port", "not-tls", func(ctx context.Context) error {
			return rawBytes(ctx, s.Listen, "\x00\x00\x00\x0a\x00\x12\x00\x00\x00\x00\x00\x01\xff\xff")
		}})
	}
	for _, m := range task.mischief() {
		if in != nil {
			all = append(all, attempt{s, "operations", m.what, "not-allowed", func(ctx context.Context) error { return d.asClient(ctx, s, *in, m.produce, m.consume) }})
		}
	}
	return all
}

type adder func(scheme, what, code string, w way)

func (d *demo) passwordAttempts(add adder, r plan.Requirement) {
	for _, m := range r.Mechanisms {
		scheme := r.Type + ", " + m
		if m == r.Type || len(r.Mechanisms) == 1 {
			scheme = schemeName(r)
		}
		add(scheme, "alice with her password", "", way{login: login(m, "alice", d.people.password)})
		add(scheme, "alice with a wrong password", "wrong-password", way{login: login(m, "alice", "guess")})
		add(scheme, "a user that nobody knows", "unknown-user", way{login: login(m, "nobody", d.people.password)})
		add(scheme, "carol, whose password has expired", "expired", way{login: login(m, "carol", d.people.password)})
	}
}

func (d *demo) keyAttempts(add adder, in string) {
	as := func(key string) kgo.Opt {
		if in == "user" {
			return login(sasl.Plain, key, "ignored")
		}
		return login(sasl.Plain, "ignored", key)
	}
	scheme := "apiKey in " + in
	add(scheme, "alice's key", "", way{login: as(d.people.key)})
	add(scheme, "a key with a letter changed", "unknown-key", way{login: as(changed(d.people.key))})
	add(scheme, "dave's key, which was revoked", "revoked", way{login: as(d.people.revokedKey)})
}

func (d *demo) certificateAttempts(add adder, optional bool) {
	add("X509", "alice's certificate", "", way{certificate: "alice"})
	if optional {
		return // without one, or with one that nobody knows, the other schemes are still open
	}
	add("X509", "no certificate", "certificate-missing", way{})
	add("X509", "a certificate that nobody knows", sasl.CodeUnknownCert, way{certificate: "stranger"})
	add("X509", "alice's name, of another authority", "certificate-authority", way{certificate: "mallory"})
}

// changed is a key with its last letter replaced.
func changed(key string) string {
	last := byte('A')
	if key[len(key)-1] == last {
		last = 'B'
	}
	return key[:len(key)-1] + string(last)
}

// notOffered is a mechanism that the server does not offer, or empty.
func notOffered(offered []string) string {
	for _, m := range []string{sasl.Plain, sasl.ScramSHA512, sasl.ScramSHA256} {
		if !slices.Contains(offered, m) {
			return m
		}
	}
	return ""
}

func login(mechanism, user, password string) kgo.Opt {
	switch mechanism {
	case sasl.ScramSHA256:
		return kgo.SASL(scram.Auth{User: user, Pass: password}.AsSha256Mechanism())
	case sasl.ScramSHA512:
		return kgo.SASL(scram.Auth{User: user, Pass: password}.AsSha512Mechanism())
	}
	return kgo.SASL(plain.Auth{User: user, Pass: password}.AsMechanism())
}

// attemptTimeout bounds one line of the self-check, which takes some 100 ms on a machine that is not overloaded.
const attemptTimeout = 30 * time.Second

// asClient does a client's job: it produces a record to one topic, and consumes one from another.
func (d *demo) asClient(ctx context.Context, s *plan.Server, w way, produce, consume string) error {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	opts := []kgo.Opt{kgo.SeedBrokers(s.Listen), kgo.ClientID("demo"),
		kgo.RequestRetries(0), kgo.RecordRetries(2),
		kgo.DisableIdempotentWrite(), kgo.RecordDeliveryTimeout(attemptTimeout)} // or a lost record would be tried for ever
	if consume != "" {
		opts = append(opts, kgo.ConsumeTopics(consume))
	}
	if w.login != nil {
		opts = append(opts, w.login)
	}
	if s.TLS != nil {
		config, err := d.clientTLS(w.certificate)
		if err != nil {
			return err
		}
		opts = append(opts, kgo.DialTLSConfig(config))
	}
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return err
	}
	defer client.CloseAllowingRebalance()
	if err := client.Ping(ctx); err != nil {
		return err
	}
	if produce != "" {
		if err := client.ProduceSync(ctx, &kgo.Record{Topic: produce, Value: []byte("hello")}).FirstErr(); err != nil {
			return err
		}
	}
	for consume != "" {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		if fetches.NumRecords() > 0 {
			break
		}
	}
	return nil
}

func (d *demo) clientTLS(certificate string) (*tls.Config, error) {
	authority, err := os.ReadFile(d.path("ca.pem"))
	if err != nil {
		return nil, err
	}
	config := &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
	config.RootCAs.AppendCertsFromPEM(authority)
	if certificate == "" {
		return config, nil
	}
	pair, err := tls.LoadX509KeyPair(d.path(certificate+".pem"), d.path(certificate+".key"))
	if err != nil {
		return nil, err
	}
	// Always this one: by default a client shows no certificate that the server's list of authorities rules out.
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	return config, nil
}

// rawBytes sends bytes and reports how the server ended the connection; nil means that it answered.
func rawBytes(ctx context.Context, address, sent string) error {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	if _, err := conn.Write([]byte(sent)); err != nil {
		return err
	}
	_, err = conn.Read(make([]byte, 1))
	return err
}
