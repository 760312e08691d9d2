package compile

import (
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/settings"
)

// upstream sets the brokers behind a server.
func (c *compiler) upstream(w *work) {
	u := &w.set.Upstream
	for _, b := range u.Bootstrap {
		w.out.Upstream.Bootstrap = append(w.out.Upstream.Bootstrap, b.V)
	}
	if list, ok := c.opt.Upstream[w.doc.Name]; ok {
		w.out.Upstream.Bootstrap = list
		for _, broker := range list {
			if strings.Contains(broker, "://") {
				c.add(plan.Error, "settings/options", place{}, "", "upstream of server %s: %q is not host:port", w.doc.Name, broker)
			}
		}
	}
	w.out.Upstream.Identity = plan.IdentityService
	if u.Identity.V == plan.IdentityToken || u.Identity.V == plan.IdentityExchanged {
		w.out.Upstream.Identity = u.Identity.V
		c.passingOn(w)
	}
	c.exchange(w)
	if u.TLS.Stated() {
		w.out.Upstream.TLS = &plan.UpstreamTLS{
			CA: u.TLS.CA.V, ServerName: u.TLS.ServerName.V, Certificate: u.TLS.Certificate.V, Key: u.TLS.Key.V,
		}
	}
	if !u.SASL.Stated() {
		return
	}
	w.out.Upstream.SASL = &plan.UpstreamSASL{
		Mechanism: u.SASL.Mechanism.V, Username: u.SASL.Username.V, Password: u.SASL.Password.V,
	}
	if t := &u.SASL.Token; t.Stated() {
		w.out.Upstream.SASL.Token = &plan.ClientCredentials{
			TokenClient: tokenClient(&t.TokenClient), Scopes: texts(t.Scopes), Audience: t.Audience.V,
		}
	}
	if (u.SASL.Mechanism.V == plain || u.SASL.Mechanism.V == bearer) && !u.TLS.Stated() {
		c.add(plan.Warning, "settings/upstream-plaintext", c.inSettings(u.SASL.Mechanism.At), "add upstream tls, or use SCRAM-SHA-512",
			"the gateway sends its own password to the brokers of server %s in clear text", w.doc.Name)
	}
}

// deployment reports what a server lacks to be run. The hints name what `asyncgate init` writes.
func (c *compiler) deployment(w *work) {
	at := w.at
	if w.set.Stated() {
		at = c.inSettings(w.set.At)
	}
	name := w.doc.Name
	if w.out.TLS != nil && w.out.TLS.Certificate == "" {
		c.add(plan.Error, "settings/no-certificate", at, block(name, "tls: { certificate: gateway.pem, key: gateway.key }"),
			"server %s speaks TLS and has no certificate", name)
	}
	if w.out.TLS != nil && w.out.TLS.ClientAuth != plan.CertificateNone && w.out.TLS.ClientCA == "" {
		c.add(plan.Error, "settings/no-client-ca", at, block(name, "tls: { …, clientCA: clients.pem }"),
			"server %s takes client certificates and has no CA to check them against", name)
	}
	if len(w.out.Upstream.Bootstrap) == 0 {
		lines, brokers := "upstream: { bootstrap: [BROKER:9092] }", "brokers"
		if w.family == familyMQTT {
			lines, brokers = "upstream: { address: BROKER:1883 }", "broker"
		}
		c.add(plan.Error, "settings/no-upstream", at, block(name, lines), "server %s has no %s behind it", name, brokers)
	}
	if !w.out.AllowAnonymous && !onlyTokens(w.out) && c.out.Credentials == "" && !c.noCredentials {
		c.noCredentials = true
		c.add(plan.Error, "settings/no-credentials", place{file: c.fileForMissing()},
			"write into asyncgate.yaml:\ncredentials: credentials.yaml\nand add to it with asyncgate credentials add NAME --file credentials.yaml",
			"the settings name no credentials file, so nobody could log in to server %s", name)
	}
}

// onlyTokens reports whether a server takes tokens and nothing else: nobody needs to be in a file then.
func onlyTokens(s *plan.Server) bool {
	tokens := false
	for _, a := range s.Alternatives {
		for _, q := range a.All {
			switch isToken := slices.Contains(q.Mechanisms, bearer) || slices.Contains(q.Mechanisms, inHeader); {
			case isToken:
				tokens = true
			case a.Enabled:
				return false
			}
		}
	}
	return tokens
}

// fileForMissing is the file to show for what stands nowhere.
func (c *compiler) fileForMissing() string {
	if c.set.File != "" {
		return c.set.File
	}
	return c.doc.File
}

// files collects every file the plan was made from or points to, and looks whether those of the settings are there.
func (c *compiler) files() {
	c.file(c.doc.File, settings.At{})
	for _, name := range c.doc.Files {
		if !strings.Contains(name, "://") { // what is remote cannot be watched
			c.file(name, settings.At{})
		}
	}
	c.file(c.set.File, settings.At{})
	c.file(c.out.Credentials, c.set.Credentials.At)
	c.secret(c.set.DecoySecret)
	c.issuerFiles()
	for i := range c.out.Servers {
		s := c.set.Server(c.out.Servers[i].Name)
		if s == nil || !c.out.Servers[i].Enforced {
			continue
		}
		for _, path := range []settings.Value[string]{
			s.TLS.Certificate, s.TLS.Key, s.TLS.ClientCA, s.TLS.CRL,
			s.Upstream.TLS.CA, s.Upstream.TLS.Certificate, s.Upstream.TLS.Key,
		} {
			c.file(path.V, path.At)
		}
		c.secret(s.Upstream.SASL.Password)
		c.tokenClientFiles(&s.Upstream.SASL.Token.TokenClient)
		c.tokenClientFiles(&s.Upstream.Exchange.TokenClient)
		c.secret(s.Upstream.Password)
	}
}

func (c *compiler) secret(s settings.Value[plan.Secret]) {
	if path, ok := strings.CutPrefix(string(s.V), "file:"); ok {
		c.file(path, s.At)
	}
}

func (c *compiler) file(path string, at settings.At) {
	if path == "" || path == stdin {
		return
	}
	for _, known := range c.out.Files {
		if known == path {
			return
		}
	}
	c.out.Files = append(c.out.Files, path)
	if c.opt.Stat == nil || !at.Stated() {
		return
	}
	if err := c.opt.Stat(path); err != nil {
		hint := ""
		if path == c.out.Credentials && errors.Is(err, fs.ErrNotExist) {
			hint = "make it, with somebody in it: asyncgate credentials add NAME --file " + path
		}
		c.add(plan.Error, "settings/file", c.inSettings(at), hint, "%s cannot be opened: %v", path, err)
	}
}

// stdin is how a document from standard input is called.
const stdin = "<stdin>"
