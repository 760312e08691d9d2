package sasl

import (
	"errors"
	"fmt"
)

// NewTokenClient returns the client side of OAUTHBEARER (RFC 7628) with a token that the caller has got from its issuer.
func NewTokenClient(token string) (Client, error) {
	if !IsBearer(token) || len(token) > MaxBearer {
		return nil, fmt.Errorf("the token is empty, larger than %d bytes, or has characters that no bearer token has", MaxBearer)
	}
	return &tokenClient{token: token}, nil
}

type tokenClient struct {
	token string
	round int
}

func (c *tokenClient) Mechanism() string { return OAuthBearer }

// Next sends the token, and believes an empty answer. What a server has to say besides is an error's description, for
// which there is no polite end: the connection is closed. It may repeat the token, so that no error has it.
func (c *tokenClient) Next(in []byte) ([]byte, bool, error) {
	c.round++
	switch {
	case c.round == 1 && len(in) > 0:
		return nil, false, errors.New("the server spoke first")
	case c.round == 1:
		return []byte("n,,\x01auth=Bearer " + c.token + "\x01\x01"), false, nil
	case c.round == 2 && len(in) > 0:
		return nil, false, errors.New("the server refused the token")
	case c.round == 2:
		return nil, true, nil
	}
	return nil, false, errOver
}
