package clients_test

import (
	"maps"
	"testing"

	"github.com/asyncgate/asyncgate/test/clients/drivers"
	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
)

// scheme is one way in, and what to get wrong about it.
type scheme struct {
	name  string
	right map[string]string // arguments that prove alice
	wrong []mistake
}

// mistake is a change to the right arguments, and what the gateway says of it.
type mistake struct {
	change map[string]string
	codes  []string // of the audit record: one of these
}

// sasl is a scheme with a user and a password inside TLS.
func sasl(name, mechanism, user, password string, wrong ...mistake) scheme {
	return scheme{name: name, wrong: wrong, right: map[string]string{
		"protocol": "SASL_SSL", "mechanism": mechanism, "user": user, "password": password,
	}}
}

var (
	wrongPassword = mistake{map[string]string{"password": "not-her-password"}, []string{"wrong-password"}}
	unknownUser   = mistake{map[string]string{"user": "nobody"}, []string{"unknown-user"}}
)

// mtls is the scheme of a client certificate.
func mtls(c *kafkatest.Cluster) scheme {
	certificate := func(user string) map[string]string {
		return map[string]string{"cert": c.Certificate(user + ".crt"), "key": c.Certificate(user + ".key")}
	}
	right := certificate("alice")
	right["protocol"] = "SSL"
	return scheme{name: "mTLS", right: right, wrong: []mistake{
		{map[string]string{"cert": "", "key": ""}, []string{"certificate-missing"}},
		// Alice, by another authority. Some clients show no certificate to a server that does not name its authority.
		{certificate("mallory"), []string{"certificate-authority", "certificate-missing"}},
	}}
}

// target is where clients connect to: an address for each scheme, by the scheme's name.
type target struct {
	cluster   *kafkatest.Cluster
	schemes   []scheme
	addresses map[string]string
}

// arguments are what a driver needs to be accepted under a scheme; change is laid over them.
func (g *target) arguments(s scheme, change map[string]string) map[string]string {
	all := map[string]string{"bootstrap": g.addresses[s.name], "ca": g.cluster.Certificate("ca.crt")}
	maps.Copy(all, s.right)
	maps.Copy(all, change)
	return all
}

// direct is the cluster itself. It has no API keys.
func direct(c *kafkatest.Cluster) *target {
	g := &target{cluster: c, addresses: map[string]string{}}
	for _, s := range []scheme{
		sasl("SCRAM-256", "SCRAM-SHA-256", "alice", kafkatest.Password("alice"), wrongPassword),
		sasl("SCRAM-512", "SCRAM-SHA-512", "alice", kafkatest.Password("alice"), wrongPassword),
		sasl("PLAIN", "PLAIN", "alice", kafkatest.Password("alice"), wrongPassword),
	} {
		g.schemes = append(g.schemes, s)
		g.addresses[s.name] = c.Bootstrap(kafkatest.SASLTLS)
	}
	g.schemes = append(g.schemes, mtls(c))
	g.addresses["mTLS"] = c.Bootstrap(kafkatest.MTLS)
	return g
}

// work has a client do its jobs under a scheme, each with a topic of its own.
func (g *target) work(t *testing.T, d driver, s scheme, jobs ...string) {
	t.Helper()
	for _, job := range jobs {
		// The group begins with the user's name, as the gateway and the cluster's ACLs want it.
		topic := topicName(t, d, s, job)
		g.cluster.CreateTopic(t, topic, 3)
		g.cluster.Allow(t, "alice", topic)
		a := d.run(t, job, g.arguments(s, map[string]string{"topic": topic, "group": "alice-" + topic}))
		results.note(t, d, s, job, a.Outcome)
		if a.Outcome != drivers.Accepted || a.Records != 10 {
			t.Errorf("%s, %s, %s: %+v; want 10 records", d.name, s.name, job, a)
		}
	}
}
