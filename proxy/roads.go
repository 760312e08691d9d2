package proxy

import (
	"context"
	"slices"

	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/sasl"
)

// Takes reports whether the server takes credentials on a road outside of SASL: passwords, keys or tokens.
func (s *State) Takes(road string) bool { return s.Passwords[road] != nil || s.bearers[road] }

// HTTPKeys are the places of an HTTP request where the server takes keys, by enabled requirements of httpApiKey.
func (s *State) HTTPKeys() []plan.Requirement {
	var places []plan.Requirement
	for _, a := range s.Server.Alternatives {
		for _, r := range a.All {
			if a.Enabled && slices.Contains(r.Mechanisms, sasl.HTTPKey) {
				places = append(places, r)
			}
		}
	}
	return places
}

// LogIn verifies what came on a road that the server takes: user name and password, a key, or a token as the password.
// Where it may be either, a JWT is only ever tried as a token, anything else never; user names beside tokens count for
// nothing.
func (s *State) LogIn(ctx context.Context, road, user string, password []byte, peer sasl.Peer) sasl.Step {
	verifier := s.Passwords[road]
	if s.bearers[road] && (verifier == nil || sasl.IsJWT(password)) {
		return sasl.Bearer(ctx, s.Tokens, road, string(password), peer)
	}
	return verifier.Verify(ctx, road, user, password)
}
