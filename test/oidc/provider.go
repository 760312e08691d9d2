// Package oidctest runs oidc-provider, a real issuer of tokens, for tests. install.sh fetches it.
//
// It answers a second after its start, so a test may have one of its own; Keycloak is there for what it does in its own way.
// Tokens are JWTs (RFC 9068), or opaque ones that the issuer is asked about and that can be revoked.
package oidctest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/test/parts"
)

// patience bounds a start and every answer, on a machine that is busy with other things.
const patience = time.Minute

// Client is who may fetch tokens, and what they are like. Its secret is [Secret].
type Client struct {
	Scope    string // what it may ask for, separated by spaces
	Audience string
	Lifetime time.Duration // whole seconds; 0: an hour
	Opaque   bool
}

// Secret is the secret of a client.
func Secret(client string) string { return client + "-secret" }

// Provider is a running issuer.
type Provider struct {
	t       testing.TB
	issuer  string
	clients map[string]Client
	ordered sync.Mutex
	orders  io.WriteCloser
	answers *bufio.Reader
}

// Start starts an issuer with these clients, by their ids, for the time of the test.
func Start(t testing.TB, clients map[string]Client) *Provider {
	t.Helper()
	parts.Need(t, "node")
	module := filepath.Join(parts.Cache(t), "oidc-provider", "node_modules", "oidc-provider", "lib", "index.js")
	if _, err := os.Stat(module); err != nil {
		parts.Absent(t, "needs test/oidc/install.sh to have run: %v", err)
	}
	command := exec.Command("node", parts.Path(t, "test", "oidc", "provider.mjs"), module, table(t, clients))
	var said bytes.Buffer
	command.Stderr = &said
	orders, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	command.Stdout = write
	ended := make(chan struct{})
	process, err := parts.StartTied(command, ended)
	_ = write.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = process.Kill()
		<-ended
		_ = read.Close()
		if t.Failed() {
			t.Logf("oidc-provider said:\n%s", parts.Lines(said.Bytes(), 20))
		}
	})
	p := &Provider{t: t, clients: clients, orders: orders, answers: bufio.NewReader(read)}
	_ = read.SetReadDeadline(time.Now().Add(patience))
	line, err := p.answers.ReadBytes('\n')
	var ready struct{ Issuer string }
	if err == nil {
		err = json.Unmarshal(line, &ready)
	}
	if err != nil {
		t.Fatalf("oidc-provider did not start: %v %s", err, line)
	}
	_ = read.SetReadDeadline(time.Time{})
	p.issuer = ready.Issuer
	return p
}

// table are the clients as provider.mjs reads them.
func table(t testing.TB, clients map[string]Client) string {
	t.Helper()
	all := map[string]any{}
	for id, c := range clients {
		if c.Lifetime == 0 {
			c.Lifetime = time.Hour
		}
		all[id] = map[string]any{"scope": c.Scope, "audience": c.Audience, "lifetime": int(c.Lifetime.Seconds()), "opaque": c.Opaque}
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Issuer is its name as an issuer.
func (p *Provider) Issuer() string { return p.issuer }

// Endpoint is where clients fetch tokens.
func (p *Provider) Endpoint() string { return p.issuer + "/token" }

// Introspection is where it is asked about opaque tokens.
func (p *Provider) Introspection() string { return p.issuer + "/token/introspection" }

// Token is a token of a client's own, with all scopes that it may have. It may be called from any goroutine.
func (p *Provider) Token(client string) (string, error) {
	body, err := p.post("/token", client, url.Values{"grant_type": {"client_credentials"}, "scope": {p.clients[client].Scope}})
	var answer struct {
		Token string `json:"access_token"`
	}
	if err == nil {
		err = json.Unmarshal(body, &answer)
	}
	if err == nil && answer.Token == "" {
		err = fmt.Errorf("no token in %s", body)
	}
	return answer.Token, err
}

// MustToken is Token, without which the test cannot go on.
func (p *Provider) MustToken(client string) string {
	p.t.Helper()
	token, err := p.Token(client)
	if err != nil {
		p.t.Fatal(err)
	}
	return token
}

// Revoke has a client withdraw an opaque token of its own (RFC 7009).
func (p *Provider) Revoke(client, token string) {
	p.t.Helper()
	if _, err := p.post("/token/revocation", client, url.Values{"token": {token}}); err != nil {
		p.t.Fatalf("revocation: %v", err)
	}
}

// Rotate has another key sign from now on, and withdraws the one before.
func (p *Provider) Rotate() { p.t.Helper(); p.order("rotate") }

// Down cuts every connection until [Provider.Up].
func (p *Provider) Down() { p.t.Helper(); p.order("down") }

// Up serves connections again.
func (p *Provider) Up() { p.t.Helper(); p.order("up") }

func (p *Provider) order(order string) {
	p.t.Helper()
	p.ordered.Lock()
	defer p.ordered.Unlock()
	_, err := io.WriteString(p.orders, order+"\n")
	var answer string
	if err == nil {
		answer, err = p.answers.ReadString('\n')
	}
	if err != nil || answer != "done\n" {
		p.t.Fatalf("%s: %q %v", order, answer, err)
	}
}

// post asks as a client, by HTTP Basic.
func (p *Provider) post(path, client string, form url.Values) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.issuer+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Close = true // it gives connections up after five seconds, which a kept one would meet now and then
	request.SetBasicAuth(url.QueryEscape(client), url.QueryEscape(Secret(client)))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: status %d: %s", path, response.StatusCode, body)
	}
	return body, err
}
