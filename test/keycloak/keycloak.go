//go:build unix

// Package keycloaktest runs Keycloak, a real issuer of tokens, for tests, with the realm of examples/keycloak. install.sh
// fetches it.
package keycloaktest

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/asyncgate/asyncgate/test/parts"
)

// version is what install.sh fetches.
const version = "26.3.5"

// trustedPassword is that of a file without a secret in it; keytool wants one.
const trustedPassword = "throwaway"

// startTimeout bounds the start: half a minute on a machine with nothing else to do, and another for the first one.
const startTimeout = 8 * time.Minute

// Server is a running Keycloak with the realm of examples/keycloak/realm.json.
type Server struct {
	t      testing.TB
	client *http.Client
	base   string // URL of the server
	secure string // URL of the same inside TLS
}

// Start starts it, for the time of the test, with certificates of its own.
func Start(t testing.TB) *Server {
	t.Helper()
	parts.Need(t, "sh", "openssl")
	certificates := filepath.Join(t.TempDir(), "certificates")
	if out, err := exec.Command("sh", parts.Path(t, "examples", "kafka", "certificates.sh"), certificates).CombinedOutput(); err != nil {
		t.Fatalf("certificates.sh: %v\n%s", err, out)
	}
	return StartWith(t, certificates)
}

// StartWith is Start with certificates that others have too. Inside TLS it has the certificate keycloak of a directory that
// examples/kafka/certificates.sh filled, and believes the client certificates of its ca.
func StartWith(t testing.TB, certificates string) *Server {
	t.Helper()
	parts.Need(t, "java", "keytool")
	home := filepath.Join(parts.Cache(t), "keycloak-"+version)
	if _, err := os.Stat(filepath.Join(home, "bin", "kc.sh")); err != nil {
		parts.Absent(t, "needs test/keycloak/install.sh to have run: %v", err)
	}
	lay(t, home)
	trusted := trusting(t, certificates)
	port, securePort := freePorts(t)
	believed := x509.NewCertPool()
	ca, err := os.ReadFile(filepath.Join(certificates, "ca.crt"))
	if err != nil || !believed.AppendCertsFromPEM(ca) {
		t.Fatalf("no certificates for Keycloak: %v", err)
	}
	command := exec.Command(filepath.Join(home, "bin", "kc.sh"), "start-dev", "--db=dev-mem", "--import-realm",
		"--http-host=127.0.0.1", fmt.Sprintf("--http-port=%d", port), fmt.Sprintf("--https-port=%d", securePort),
		"--https-certificate-file="+filepath.Join(certificates, "keycloak.crt"),
		"--https-certificate-key-file="+filepath.Join(certificates, "keycloak.key"),
		"--https-client-auth=request", "--https-trust-store-file="+trusted, "--https-trust-store-password="+trustedPassword, "--https-trust-store-type=pkcs12")
	command.Env = append(os.Environ(), "KC_BOOTSTRAP_ADMIN_USERNAME=admin", "KC_BOOTSTRAP_ADMIN_PASSWORD=admin",
		"JAVA_OPTS_KC_HEAP=-Xms64m -Xmx384m")
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // kc.sh starts Java: both are ended
	var log bytes.Buffer
	command.Stdout, command.Stderr = &log, &log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = command.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
		<-ended
	})
	s := &Server{t: t,
		client: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: believed}}},
		base:   fmt.Sprintf("http://127.0.0.1:%d", port), secure: fmt.Sprintf("https://localhost:%d", securePort)}
	look := time.NewTicker(time.Second)
	defer look.Stop()
	for late := time.After(startTimeout); ; {
		if _, err := s.do(http.MethodGet, s.Issuer()+"/.well-known/openid-configuration", "", nil, ""); err == nil {
			return s
		}
		select {
		case <-look.C:
		case <-ended:
			t.Fatalf("keycloak ended:\n%s", parts.Lines(log.Bytes(), 40))
		case <-late:
			t.Fatalf("keycloak did not start within %v", startTimeout)
		}
	}
}

// lay puts the realm where Keycloak takes it from: another that starts at the same time must not find half of it.
func lay(t testing.TB, home string) {
	t.Helper()
	realm, err := os.ReadFile(parts.Path(t, "examples", "keycloak", "realm.json"))
	if err == nil {
		err = os.MkdirAll(filepath.Join(home, "data", "import"), 0o755)
	}
	var part *os.File
	if err == nil {
		part, err = os.CreateTemp(filepath.Join(home, "data"), "realm")
	}
	if err == nil {
		_, err = part.Write(realm)
		err = errors.Join(err, part.Close(), os.Rename(part.Name(), filepath.Join(home, "data", "import", "lights.json")))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// trusting makes a file with the authority of client certificates. It is of this Keycloak alone: what the option
// truststore-paths takes would be written where every Keycloak of this machine has it.
func trusting(t testing.TB, certificates string) string {
	t.Helper()
	trusted := filepath.Join(t.TempDir(), "trusted.p12")
	out, err := exec.Command("keytool", "-importcert", "-noprompt", "-alias", "ca", "-file", filepath.Join(certificates, "ca.crt"),
		"-keystore", trusted, "-storetype", "PKCS12", "-storepass", trustedPassword).CombinedOutput()
	if err != nil {
		t.Fatalf("keytool: %v\n%s", err, out)
	}
	return trusted
}

// freePorts are two ports that nobody listens on.
func freePorts(t testing.TB) (a, b int) {
	t.Helper()
	for _, port := range []*int{&a, &b} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close() // not before both are known
		*port = listener.Addr().(*net.TCPAddr).Port
	}
	return a, b
}

// Issuer is the name of the realm as an issuer.
func (s *Server) Issuer() string { return s.base + "/realms/lights" }

// Secure is the name of the same realm inside TLS. Tokens name the address on which they were asked for.
func (s *Server) Secure() string { return s.secure + "/realms/lights" }

// TokenEndpoint is where an issuer gives tokens.
func TokenEndpoint(issuer string) string { return issuer + "/protocol/openid-connect/token" }

// Introspection is where it is asked about tokens.
func (s *Server) Introspection() string {
	return s.Issuer() + "/protocol/openid-connect/token/introspect"
}

// Token is a token of a client's own, whose secret is its name and "-secret", of the issuer outside TLS.
func (s *Server) Token(client string) string { s.t.Helper(); return s.of(s.Issuer(), client) }

// SecureToken is the same of the issuer inside TLS.
func (s *Server) SecureToken(client string) string { s.t.Helper(); return s.of(s.Secure(), client) }

func (s *Server) of(issuer, client string) string {
	s.t.Helper()
	return s.fetch(issuer, url.Values{"grant_type": {"client_credentials"}, "client_id": {client}, "client_secret": {client + "-secret"}})
}

func (s *Server) fetch(issuer string, form url.Values) string {
	s.t.Helper()
	body, err := s.do(http.MethodPost, TokenEndpoint(issuer), "application/x-www-form-urlencoded", []byte(form.Encode()), "")
	var answer struct {
		Token string `json:"access_token"`
	}
	if err == nil {
		err = json.Unmarshal(body, &answer)
	}
	if err != nil || answer.Token == "" {
		s.t.Fatalf("no token: %v %s", err, body)
	}
	return answer.Token
}

// Revoke has a client withdraw its own token (RFC 7009).
func (s *Server) Revoke(client, token string) {
	s.t.Helper()
	form := url.Values{"token": {token}, "client_id": {client}, "client_secret": {client + "-secret"}}
	if body, err := s.do(http.MethodPost, s.Issuer()+"/protocol/openid-connect/revoke", "application/x-www-form-urlencoded", []byte(form.Encode()), ""); err != nil {
		s.t.Fatalf("revocation: %v %s", err, body)
	}
}

// Rotate adds a key with which tokens are signed from now on, and withdraws the one before.
func (s *Server) Rotate() {
	s.t.Helper()
	admin := s.fetch(s.base+"/realms/master", url.Values{"grant_type": {"password"}, "client_id": {"admin-cli"}, "username": {"admin"}, "password": {"admin"}})
	components := s.base + "/admin/realms/lights/components"
	list, err := s.do(http.MethodGet, components+"?type=org.keycloak.keys.KeyProvider", "", nil, admin)
	var old []map[string]any
	if err == nil {
		err = json.Unmarshal(list, &old)
	}
	added, _ := json.Marshal(map[string]any{
		"name": "rotated", "providerId": "rsa-generated", "providerType": "org.keycloak.keys.KeyProvider",
		"config": map[string][]string{"priority": {"1000"}, "keySize": {"2048"}, "enabled": {"true"}, "active": {"true"}, "algorithm": {"RS256"}},
	})
	if err == nil {
		_, err = s.do(http.MethodPost, components, "application/json", added, admin)
	}
	for _, k := range old {
		if err == nil && k["providerId"] == "rsa-generated" {
			_, err = s.do(http.MethodDelete, components+"/"+fmt.Sprint(k["id"]), "", nil, admin)
		}
	}
	if err != nil {
		s.t.Fatalf("rotation: %v", err)
	}
}

func (s *Server) do(method, target, kind string, body []byte, token string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := s.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode/100 != 2 {
		err = fmt.Errorf("status %d: %s", response.StatusCode, strings.TrimSpace(string(answer)))
	}
	return answer, err
}
