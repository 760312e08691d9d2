// Package policy decides who a connection is and what it may do. It does no I/O.
package policy

import (
	"github.com/asyncgate/asyncgate/plan"
	"github.com/asyncgate/asyncgate/sasl"
)

// Admit says who a connection is.
func Admit(server *plan.Server, certificate, login *sasl.Principal) (*sasl.Principal, *sasl.Reject) {
	return nil, &sasl.Reject{Stage: sasl.StagePolicy}
}

// Mechanisms are the SASL mechanisms to offer.
func Mechanisms(server *plan.Server) []string { return nil }
