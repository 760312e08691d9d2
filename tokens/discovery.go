package tokens

import (
	"context"
	"errors"
	"fmt"
)

// discover reads an issuer's configuration (OpenID Connect Discovery 1.0 section 4, RFC 8414) and returns where its keys
// are. The configuration has to be the issuer's own: an answer that names another one is not believed.
func discover(ctx context.Context, c *client, at, issuer string) (jwks string, err error) {
	body, err := c.get(ctx, at)
	if err != nil {
		return "", err
	}
	var configuration struct {
		Issuer string `json:"issuer"`
		JWKS   string `json:"jwks_uri"`
	}
	if err := decodeJSON(body, &configuration); err != nil {
		return "", fmt.Errorf("its configuration is %w", err)
	}
	switch {
	case configuration.Issuer != issuer:
		return "", fmt.Errorf("its configuration is that of issuer %s", quote(configuration.Issuer))
	case configuration.JWKS == "":
		return "", errors.New("its configuration names no jwks_uri")
	}
	return configuration.JWKS, nil
}

// fetcher is how the keys of an issuer are had; nil: from a file, or not at all.
func fetcher(c Issuer) (func(context.Context) (*keySet, error), error) {
	home := c.JWKS
	if home == "" {
		home = c.Discovery
	}
	if home == "" {
		return nil, nil
	}
	client, err := newClient(c, home)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (*keySet, error) {
		at := c.JWKS
		if at == "" {
			found, err := discover(ctx, client, c.Discovery, c.Name)
			if err != nil {
				return nil, err
			}
			at = found
		}
		body, err := client.get(ctx, at)
		if err != nil {
			return nil, err
		}
		return parseJWKS(body)
	}, nil
}
