// Package driver is what the drivers of the Go clients share: arguments, TLS, and the answer; see ../README.md.
package driver

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// Arguments are JOB NAME=VALUE…
type Arguments struct {
	Client  string // name and version, for the answer
	Job     string
	Timeout time.Duration
	Count   int
	given   map[string]string
}

// Serve has run do the job of the command line, or else that of each line of standard input, and prints the answers. It
// ends the process.
func Serve(client string, run func(*Arguments) (int, error)) {
	one := func(words []string) {
		a := read(client, words)
		a.answer(run(a))
	}
	if len(os.Args) > 1 {
		one(os.Args[1:])
		return
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		one(strings.Split(lines.Text(), "\t"))
	}
}

func read(client string, words []string) *Arguments {
	a := &Arguments{Client: client, Job: words[0], Timeout: 30 * time.Second, Count: 10, given: map[string]string{}}
	for _, word := range words[1:] {
		name, value, _ := strings.Cut(word, "=")
		a.given[name] = value
	}
	if n, err := strconv.Atoi(a.given["count"]); err == nil {
		a.Count = n
	}
	if n, err := strconv.Atoi(a.given["timeout"]); err == nil {
		a.Timeout = time.Duration(n) * time.Second
	}
	return a
}

// Get is an argument, empty if it was not given.
func (a *Arguments) Get(name string) string { return a.given[name] }

// Token is a fresh token by the client credentials grant if there is an endpoint for it; else it is the password.
func (a *Arguments) Token(ctx context.Context) (string, error) {
	if a.given["endpoint"] == "" {
		return a.given["password"], nil
	}
	grant := clientcredentials.Config{ClientID: a.given["user"], ClientSecret: a.given["password"], TokenURL: a.given["endpoint"],
		Scopes: strings.Fields(a.given["scope"]), AuthStyle: oauth2.AuthStyleInHeader}
	token, err := grant.Token(ctx)
	if err != nil {
		return "", err
	}
	return token.AccessToken, nil
}

// Seconds is an argument that is a time.
func (a *Arguments) Seconds(name string) time.Duration {
	n, _ := strconv.Atoi(a.given[name])
	return time.Duration(n) * time.Second
}

// ready makes the file that says that messages come from now on.
func (a *Arguments) ready() error {
	if file := a.given["ready"]; file != "" {
		return os.WriteFile(file, nil, 0o600)
	}
	return nil
}

// URL is where to connect to. It panics, as TLS does, where the arguments make no sense.
func (a *Arguments) URL() *url.URL {
	u, err := url.Parse(a.given["url"])
	if err != nil {
		panic(err)
	}
	return u
}

// Header is the header of a WebSocket's upgrade.
func (a *Arguments) Header() http.Header {
	header := http.Header{}
	if basic := a.given["basic"]; basic != "" {
		header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(basic)))
	}
	if token := a.given["bearer"]; token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	return header
}

// TLS is the client's side of TLS.
func (a *Arguments) TLS() *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: a.URL().Hostname(), RootCAs: x509.NewCertPool()}
	if file := a.given["ca"]; file != "" {
		ca, err := os.ReadFile(file)
		if err != nil {
			panic(err)
		}
		config.RootCAs.AppendCertsFromPEM(ca)
	}
	if file := a.given["cert"]; file != "" {
		pair, err := tls.LoadX509KeyPair(file, a.given["key"])
		if err != nil {
			panic(err)
		}
		// Always this one: by default a client shows none that the server's list of authorities rules out.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	}
	return config
}

// Values are what to publish; the first letter is the QoS.
func (a *Arguments) Values() []string {
	var all []string
	for qos := range 3 {
		for i := range a.Count {
			all = append(all, fmt.Sprintf("%d-%d", qos, i))
		}
	}
	return all
}

// Await collects what comes until everything did, and fails if it is something else.
func (a *Arguments) Await(messages <-chan string) (int, error) {
	want := a.Values()
	var got []string
	late := time.After(a.Timeout)
	for len(got) < len(want) {
		select {
		case m := <-messages:
			got = append(got, m)
		case <-late:
			return len(got), fmt.Errorf("%d of %d messages", len(got), len(want))
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		return len(got), fmt.Errorf("other messages came: %v", got[:3])
	}
	return len(got), nil
}

// EndedError says how the server ended a connection that had been good.
type EndedError struct {
	Code byte   // of its DISCONNECT; 0: it sent none
	Last string // the last message that had come
}

func (e *EndedError) Error() string { return fmt.Sprintf("ended with %#02x after %s", e.Code, e.Last) }

// Listen counts what comes until the server ends the connection. If there is a time for it, renew is called again and again,
// and if there is one for that, the client ends the connection itself.
func (a *Arguments) Listen(messages <-chan string, ended <-chan byte, renew func() error) (int, error) {
	count, last := 0, ""
	late := time.After(a.Timeout)
	var again, enough <-chan time.Time
	if every := a.Seconds("renew"); every > 0 {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		again = ticker.C
	}
	if stay := a.Seconds("stay"); stay > 0 {
		enough = time.After(stay)
	}
	if err := a.ready(); err != nil {
		return 0, err
	}
	for {
		select {
		case <-again:
			if err := renew(); err != nil {
				return count, err
			}
		case <-enough:
			return count, nil
		case last = <-messages:
			count++
		case code := <-ended:
			for len(messages) > 0 {
				last = <-messages
				count++
			}
			return count, &EndedError{code, last}
		case <-late:
			return count, errors.New("the server has not ended the connection")
		}
	}
}

// ErrRefused says that the broker refused what the client proved or is.
var ErrRefused = errors.New("refused")

func (a *Arguments) answer(messages int, err error) {
	line := map[string]any{"client": a.Client, "job": a.Job, "outcome": outcome(err), "error": "", "message": "", "records": messages}
	if err != nil {
		line["error"], line["message"] = fmt.Sprintf("%T", err), err.Error()
	}
	_ = json.NewEncoder(os.Stdout).Encode(line)
}

func outcome(err error) string {
	if err == nil {
		return "accepted"
	}
	var alert tls.AlertError
	for _, refusal := range []string{"remote error: tls", "bad handshake", "401"} { // some clients keep only the text
		if errors.Is(err, ErrRefused) || errors.As(err, &alert) || strings.Contains(err.Error(), refusal) {
			return "refused"
		}
	}
	if ended := (*EndedError)(nil); errors.As(err, &ended) {
		return "disconnected"
	}
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, end) || strings.Contains(err.Error(), end.Error()) {
			return "disconnected"
		}
	}
	return "failed"
}
