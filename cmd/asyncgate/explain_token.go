package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/sasl"
)

// maxTokenFile bounds a file with a token, in bytes: the longest token that is judged, and white space around it.
const maxTokenFile = sasl.MaxBearer + 64

// issuerPatience is how long an issuer may take to show its keys, or to answer for an opaque token.
const issuerPatience = 20 * time.Second

// ownToken is a token that its bearer asks about: whose it is, or why it is refused.
type ownToken struct {
	principal *sasl.Principal
	reject    *sasl.Reject
}

// readToken reads the file of --token-file. What is wrong with it is said without a byte of what it holds.
func readToken(env *environment, path string) (string, error) {
	in, name := env.stdin, "standard input"
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return "", &exitError{exitUsage, err}
		}
		defer f.Close()
		in, name = f, path
	}
	data, err := io.ReadAll(io.LimitReader(in, maxTokenFile+1))
	token := strings.TrimSpace(string(data))
	switch {
	case err != nil:
		return "", &exitError{exitUsage, fmt.Errorf("%s: %w", name, err)}
	case len(data) > maxTokenFile:
		return "", usage("%s: larger than a token may be, which is %d KiB", name, sasl.MaxBearer>>10)
	case token == "":
		return "", usage("%s: empty; it has to hold the token and nothing else", name)
	case strings.HasPrefix(strings.ToLower(token), "bearer "):
		return "", usage("%s: begins with the word Bearer; it has to hold the token and nothing else", name)
	}
	return token, nil
}

// judgeToken holds a token against the issuers that the plan believes, as `run` would. An issuer that cannot be asked
// says nothing about the token: that is an error, and no answer.
func judgeToken(env *environment, p *plan.Plan, server *plan.Server, token string) (*ownToken, error) {
	judge, err := (&issuers{log: zap.NewNop()}).open(p)
	if err != nil {
		return nil, &exitError{exitProblem, err}
	}
	if judge == nil {
		judge = sasl.NoTokens{}
	}
	ctx, cancel := context.WithTimeout(env.ctx, issuerPatience)
	defer cancel()
	step := sasl.Bearer(ctx, judge, "", token, sasl.Peer{Server: server.Name})
	if r := step.Reject; r != nil && r.Code == sasl.CodeIssuerUnavailable {
		return nil, &exitError{exitRuntime, errors.New(r.Private)}
	}
	return &ownToken{step.Principal, step.Reject}, nil
}

// tokenLogins are the logins that a token is good for at a server, in the order of its ways in.
func tokenLogins(server *plan.Server, who claim) (all []*sasl.Principal) {
	for _, a := range server.Alternatives {
		for _, r := range a.All {
			for _, m := range r.Mechanisms {
				if !a.Enabled || !isToken(r) || who.mechanism != "" && who.mechanism != m {
					continue
				}
				p := *who.token.principal
				p.Mechanism = m
				all = append(all, &p)
			}
		}
	}
	return all
}

// describe adds what a token says to an answer, never the token.
func (t *ownToken) describe(answer *explained) {
	if t.reject != nil {
		answer.Principal, answer.Code = t.reject.Claimed, t.reject.Code
		return
	}
	answer.Issuer, answer.Scopes = t.principal.Issuer, slices.Clone(t.principal.Scopes)
	if !t.principal.Expires.IsZero() {
		answer.Expires = t.principal.Expires.UTC().Format(time.RFC3339)
	}
}

// printToken is what the text form says of a token.
func (a *explained) printToken(out io.Writer) {
	if a.Issuer == "" {
		return
	}
	scopes := "no scopes"
	if len(a.Scopes) > 0 {
		scopes = "scopes " + strings.Join(a.Scopes, " ")
	}
	fmt.Fprintf(out, "  by a token of %s with %s", a.Issuer, scopes)
	if a.Expires != "" {
		fmt.Fprintf(out, ", until %s", a.Expires)
	}
	fmt.Fprintln(out)
}
