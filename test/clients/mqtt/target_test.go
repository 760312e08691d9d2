package mqttclients_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/test/clients/drivers"
	"github.com/asyncgate/asyncgate/test/matrix"
	"github.com/asyncgate/asyncgate/test/mosquitto"
)

var results = matrix.New([]string{"test", "scheme", "version", "job"}, names()...)

// versions of the protocol, as drivers take them.
var versions = map[string]string{"3": "3.1", "4": "3.1.1", "5": "5"}

// scheme is one way in, and what to get wrong about it.
type scheme struct {
	name   string
	server string            // of the document, where there is a gateway
	right  map[string]string // arguments that prove alice
	wrong  []mistake
}

// mistake is a change to the right arguments, and what the gateway says of it.
type mistake struct {
	change map[string]string
	codes  []string // of the audit record: one of these
}

// login is a scheme with a user and a password.
func login(name, url, user, password string, wrong ...mistake) scheme {
	return scheme{name: name, wrong: wrong, right: map[string]string{"url": url, "user": user, "password": password}}
}

var (
	wrongPassword = mistake{map[string]string{"password": "not-her-password"}, []string{"wrong-password"}}
	unknownUser   = mistake{map[string]string{"user": "nobody"}, []string{"unknown-user"}}
)

// certificate is the scheme of a client certificate.
func certificate(t *testing.T, name, url string) scheme {
	t.Helper()
	of := func(user string) map[string]string {
		dir := mosquittotest.Certificates(t)
		return map[string]string{"cert": filepath.Join(dir, user+".crt"), "key": filepath.Join(dir, user+".key")}
	}
	right := of("alice")
	right["url"] = url
	return scheme{name: name, right: right, wrong: []mistake{
		{map[string]string{"cert": "", "key": ""}, []string{"certificate-missing"}},
		// Alice, by another authority. Some clients show no certificate to a server that does not name its authority.
		{of("mallory"), []string{"certificate-authority", "certificate-missing"}},
	}}
}

// target is where clients connect to.
type target struct{ schemes []scheme }

// arguments are what a driver needs to be accepted under a scheme; change is laid over them.
func (g *target) arguments(t *testing.T, s scheme, version string, change map[string]string) map[string]string {
	t.Helper()
	unique := fmt.Sprintf("c%d", time.Now().UnixNano()) // MQTT 3.1 allows 23 letters
	all := map[string]string{"version": version, "id": unique, "topic": "clients/" + unique}
	if strings.HasPrefix(s.right["url"], "mqtts:") || strings.HasPrefix(s.right["url"], "wss:") {
		all["ca"] = filepath.Join(mosquittotest.Certificates(t), "ca.crt")
	}
	maps.Copy(all, s.right)
	maps.Copy(all, change)
	return all
}

// each has a function for every client and scheme and version that go together and are wanted. Several run at once.
func (g *target) each(t *testing.T, name string, wanted func(driver, scheme, string) bool, do func(*testing.T, driver, scheme, string)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		for _, d := range clients {
			for _, s := range g.schemes {
				for _, version := range []string{"3", "4", "5"} {
					spelled := versions[version]
					if d.speaks(s, version) && wanted(d, s, version) {
						t.Run(d.name+"/"+s.name+"/"+spelled, func(t *testing.T) {
							t.Parallel()
							do(t, d, s, version)
						})
					}
				}
			}
		}
	})
}

func note(t *testing.T, d driver, s scheme, version, job, outcome string) {
	t.Helper()
	test, _, _ := strings.Cut(t.Name(), "/")
	results.Note(d.name, outcome, test, s.name, versions[version], job)
}

// logins has every client try every scheme, right and wrong, in every version. Where there is a gateway, audited looks
// for its record of a refusal.
func (g *target) logins(t *testing.T, audited func(*testing.T, scheme, mistake)) {
	t.Helper()
	g.each(t, "login", driver.speaks, func(t *testing.T, d driver, s scheme, version string) {
		a := d.run(t, "login", g.arguments(t, s, version, nil))
		note(t, d, s, version, "login", a.Outcome)
		if a.Outcome != drivers.Accepted {
			t.Errorf("the right way: %+v", a)
		}
		for _, wrong := range s.wrong {
			a := d.run(t, "login", g.arguments(t, s, version, wrong.change))
			note(t, d, s, version, "login, "+wrong.codes[0], a.Outcome)
			// What TLS refuses is told after the client has sent; whether it reads that or the end first is chance.
			// MQTT.js keeps an answer of 401 to itself.
			if untold := a.Outcome == drivers.Disconnected && s.right["cert"]+s.right["basic"]+s.right["bearer"] != ""; a.Outcome != drivers.Refused && !untold {
				t.Errorf("with %v: %+v", wrong.change, a)
			}
			audited(t, s, wrong)
		}
	})
}

// exchanges has every client subscribe and publish with every quality of service, in every version, under every nth of
// the schemes; which, differs from client to client.
func (g *target) exchanges(t *testing.T, nth int) {
	t.Helper()
	count := 0
	g.each(t, "exchange", func(driver, scheme, string) bool {
		count++
		return count%nth == 0
	}, func(t *testing.T, d driver, s scheme, version string) {
		a := d.run(t, "exchange", g.arguments(t, s, version, nil))
		note(t, d, s, version, "exchange", a.Outcome)
		if a.Outcome != drivers.Accepted || a.Records != 30 {
			t.Errorf("%+v; want 30 messages", a)
		}
	})
}
