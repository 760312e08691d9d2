package main

import (
	"fmt"
	"os"

	"go.uber.org/zap"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/proxy"
	"github.com/asyncgate/asyncgate/sasl"
	"github.com/asyncgate/asyncgate/tokens"
)

// issuers opens the judge of tokens of each plan. What issuers have said outlives a reload.
type issuers struct {
	log  *zap.Logger
	last *tokens.Directory
}

// open is for [proxy.Config]; the gateway calls it for one plan at a time.
func (s *issuers) open(p *plan.Plan) (sasl.Tokens, error) {
	if len(p.Tokens) == 0 {
		s.last = nil
		return nil, nil
	}
	o := tokens.Options{Previous: s.last, Failed: s.failed}
	for i := range p.Tokens {
		issuer, err := issuerOf(&p.Tokens[i])
		if err != nil {
			return nil, fmt.Errorf("issuer %s: %w", p.Tokens[i].Issuer, err)
		}
		o.Issuers = append(o.Issuers, issuer)
	}
	d, err := tokens.New(o)
	if err != nil {
		return nil, fmt.Errorf("tokens: %w", err)
	}
	s.last = d
	d.Warm()
	return d, nil
}

// failed tells the operator of an issuer that begins to fail, and that it is back.
func (s *issuers) failed(issuer string, err error) {
	if err == nil {
		s.log.Info("an issuer of tokens shows its keys again", zap.String("issuer", issuer))
		return
	}
	s.log.Warn("an issuer of tokens does not show its keys; those that are known count until maxAge",
		zap.String("issuer", issuer), zap.Error(err))
}

// maxIssuerFile bounds a file of an issuer's keys or certificates, in bytes.
const maxIssuerFile = 1 << 20

// issuerOf reads the files and the secret that an issuer of a plan points to.
func issuerOf(p *plan.Issuer) (tokens.Issuer, error) {
	out := tokens.Issuer{
		Name: p.Issuer, Audiences: p.Audiences, Audience: p.Audience, Discovery: p.Discovery, JWKS: p.JWKS, Algorithms: p.Algorithms,
		Principal: p.Principal, Prefix: p.Prefix, Scopes: p.Scopes, Required: p.Required,
		Skew: p.Skew, Refresh: p.Refresh, MinInterval: p.MinInterval, MaxAge: p.MaxAge,
	}
	for _, file := range []struct {
		path string
		to   *[]byte
	}{{p.KeyFile, &out.Keys}, {p.CA, &out.CA}, {p.Certificate, &out.Certificate}, {p.Key, &out.Key}} {
		if file.path == "" {
			continue
		}
		data, err := readBounded(file.path)
		if err != nil {
			return out, err
		}
		*file.to = data
	}
	if n := p.Introspection; n != nil {
		out.Introspection = &tokens.Introspection{URL: n.URL, ClientID: n.ClientID, Cache: n.Cache, Recheck: n.Recheck}
		if n.ClientSecret != "" {
			secret, err := proxy.ReadSecret(n.ClientSecret)
			if err != nil {
				return out, fmt.Errorf("clientSecret: %w", err)
			}
			out.Introspection.ClientSecret = string(secret)
		}
	}
	return out, nil
}

func readBounded(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() == 0 || info.Size() > maxIssuerFile {
		return nil, fmt.Errorf("%s: empty, or larger than %d bytes", path, maxIssuerFile)
	}
	return os.ReadFile(path)
}
