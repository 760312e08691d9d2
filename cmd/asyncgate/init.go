package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/credentials"
	"github.com/asyncgate/asyncgate/plan/compile"
	"github.com/asyncgate/asyncgate/report"
	"github.com/asyncgate/asyncgate/tlsconf"
)

// initCmd writes the files that a first start needs, beside the document.
type initCmd struct {
	Doc             string   `arg:"" help:"AsyncAPI document."`
	Upstream        []string `placeholder:"SERVER=HOST:PORT,…" sep:"none" help:"Brokers behind a server; repeatable."`
	DevCertificates bool     `help:"Also make a throwaway CA with a server and a client certificate."`
	remoteFlag
}

// Names of the files, all beside the document.
const (
	credentialsName = "credentials.yaml"
	gatewayCert     = "gateway.pem"
	gatewayKey      = "gateway.key"
	clientsCA       = "clients-ca.pem" // without --dev-certificates
	devCA           = "dev-ca.pem"
	devClient       = "dev-client"
	devClientCert   = devClient + ".pem"
	devClientKey    = devClient + ".key"
)

// devLifetime is how long throwaway certificates are good for.
const devLifetime = 90 * 24 * time.Hour

// Help is what `init --help` says beyond the flags.
func (*initCmd) Help() string {
	return `Writes asyncgate.yaml and credentials.yaml beside the document: a block for each server, and everything else as comments. It never
writes over a file.

Examples:
  asyncgate init orders.yml                                       then write the brokers' addresses into asyncgate.yaml
  asyncgate init orders.yml --upstream prod=kafka-1:9092,kafka-2:9092
  asyncgate init orders.yml --dev-certificates                    with a throwaway CA, for a first try

Pages: docs/running.md, docs/settings.md.`
}

// Run writes all of the files or, if one of them is there already, none.
func (c *initCmd) Run(env *environment) error {
	draft, err := c.draft(env)
	if err != nil {
		return err
	}
	dir := filepath.Dir(c.Doc)
	var there []string
	for _, name := range c.files() {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			there = append(there, filepath.Join(dir, name))
		}
	}
	if len(there) > 0 {
		return &exitError{exitProblem, fmt.Errorf("nothing written: there is already %s", strings.Join(there, ", "))}
	}
	if err := c.write(dir, draft); err != nil {
		return &exitError{exitRuntime, err}
	}
	return c.nextSteps(env.stdout, dir, draft)
}

// draft reads the document and plans what to write.
func (c *initCmd) draft(env *environment) (*draft, error) {
	data, err := readDocument(c.Doc)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	files, err := filesOf(c.Doc, c.AllowRemote)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	doc, found := asyncapi.ReadFrom(c.Doc, data, files)
	if doc == nil {
		if err := report.Problems(env.stdout, compile.Found(nil, nil, found)); err != nil {
			return nil, err
		}
		return nil, &exitError{code: exitProblem}
	}
	upstream, err := serverValues("--upstream", c.Upstream)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	opt := compile.Options{Upstream: map[string][]string{}}
	for name, brokers := range upstream {
		opt.Upstream[name] = strings.Split(brokers, ",")
	}
	p, _ := compile.Compile(doc, nil, opt)
	if err := checkOptions(p, opt); err != nil {
		return nil, &exitError{exitUsage, err}
	}
	return newDraft(doc, p, c.DevCertificates), nil
}

// serverValues reads flags of the form SERVER=VALUE.
func serverValues(flag string, list []string) (map[string]string, error) {
	values := map[string]string{}
	for _, one := range list {
		name, value, ok := strings.Cut(one, "=")
		if _, twice := values[name]; !ok || name == "" || value == "" || twice {
			return nil, fmt.Errorf("%s %s: write SERVER=VALUE, once for each server", flag, one)
		}
		values[name] = value
	}
	return values, nil
}

func (c *initCmd) files() []string {
	names := []string{settingsName, credentialsName}
	if c.DevCertificates {
		names = append(names, devCA, gatewayCert, gatewayKey, devClientCert, devClientKey)
	}
	return names
}

func (c *initCmd) write(dir string, d *draft) error {
	if c.DevCertificates {
		if err := writeDevCertificates(dir, d.hosts()); err != nil {
			return err
		}
	}
	if err := credentials.Create(filepath.Join(dir, credentialsName)); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(dir, settingsName), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) // #nosec G302 G304 -- it holds no secrets
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, d.settings(filepath.Base(c.Doc)))
	return errors.Join(err, f.Close())
}

// writeDevCertificates makes a CA whose own key is thrown away at once, a certificate for the gateway under all names
// that clients may dial, and one for a client.
func writeDevCertificates(dir string, hosts []string) error {
	ca, err := tlsconf.NewDevCA("asyncgate throwaway CA", devLifetime)
	if err != nil {
		return err
	}
	server, err := ca.Server(hosts...)
	if err != nil {
		return err
	}
	client, err := ca.Client("", devClient)
	if err != nil {
		return err
	}
	return errors.Join(
		ca.WritePEM(filepath.Join(dir, devCA)),
		server.Write(filepath.Join(dir, gatewayCert), filepath.Join(dir, gatewayKey)),
		client.Write(filepath.Join(dir, devClientCert), filepath.Join(dir, devClientKey)),
	)
}

// hosts are the names a certificate of the gateway has to cover.
func (d *draft) hosts() []string {
	hosts := []string{"localhost", "127.0.0.1", "::1"}
	for _, s := range d.servers {
		if host := s.plan.Advertise.Host; host != "" && !strings.ContainsAny(host, "{}") && !slices.Contains(hosts, host) {
			if len(host) < 64 || net.ParseIP(host) != nil {
				hosts = append(hosts, host)
			}
		}
	}
	return hosts
}

// nextSteps prints what is left to do, to copy and paste.
func (c *initCmd) nextSteps(w io.Writer, dir string, d *draft) error {
	var b strings.Builder
	b.WriteString("wrote")
	for i, name := range c.files() {
		b.WriteString(map[bool]string{true: " ", false: ", "}[i == 0] + filepath.Join(dir, name))
	}
	b.WriteString("\n\nnext:\n")
	file := filepath.Join(dir, credentialsName)
	if d.lacksUpstream() {
		fmt.Fprintf(&b, "  # write the addresses of your brokers into %s, under upstream\n", filepath.Join(dir, settingsName))
	}
	if !c.DevCertificates && d.usesTLS() {
		fmt.Fprintf(&b, "  # put certificate and key of the gateway at %s and %s\n", filepath.Join(dir, gatewayCert), filepath.Join(dir, gatewayKey))
	}
	if !c.DevCertificates && d.uses("X509") {
		fmt.Fprintf(&b, "  # put the CA of your clients' certificates at %s\n", filepath.Join(dir, clientsCA))
	}
	if d.usesPassword() {
		fmt.Fprintf(&b, "  asyncgate credentials add alice --generate --file %s\n", file)
	}
	if d.uses("apiKey") {
		fmt.Fprintf(&b, "  asyncgate credentials add billing --kind key --file %s\n", file)
	}
	if d.uses("X509") {
		name := map[bool]string{true: devClient, false: "bob"}[c.DevCertificates]
		fmt.Fprintf(&b, "  asyncgate credentials add %s --kind certificate --match 'CN=%[1]s' --file %s\n", name, file)
	}
	fmt.Fprintf(&b, "  asyncgate check %s\n  asyncgate run %[1]s\n", c.Doc)
	_, err := io.WriteString(w, b.String())
	return err
}

// uses reports whether some server that is written down has a usable scheme of that type.
func (d *draft) uses(scheme string) bool {
	return slices.ContainsFunc(d.servers, func(s *draftServer) bool { return !s.off && s.uses(scheme) })
}

func (d *draft) usesPassword() bool {
	return d.uses("scramSha256") || d.uses("scramSha512") || d.uses("plain") || d.uses("userPassword")
}

func (d *draft) usesTLS() bool {
	return slices.ContainsFunc(d.servers, func(s *draftServer) bool { return !s.off && s.tls })
}

func (d *draft) lacksUpstream() bool {
	return slices.ContainsFunc(d.servers, func(s *draftServer) bool { return !s.off && len(s.plan.Upstream.Bootstrap) == 0 })
}
