package proxy

import (
	"net/netip"

	"go.uber.org/zap"

	"github.com/asyncgate/asyncgate/sasl"
)

// Decisions, in audit records and metrics.
const (
	allow = "allow"
	deny  = "deny"
)

// audit writes what was decided about whom: one record for each login that succeeded, for each connection that was
// refused or ended by the gateway, and for each refused request. All records have the same fields in the same order,
// empty where they say nothing.
type audit struct {
	log *zap.Logger
}

func newAudit(log *zap.Logger) *audit { return &audit{log: log.Named("audit")} }

// record is one audit record.
type record struct {
	message   string // what the record is about
	conn      string
	remote    netip.AddrPort
	server    string
	principal string // proved, never claimed
	mechanism string
	claimed   string // what a refused peer said it was
	api       string
	resource  string
	decision  string
	stage     string
	code      string
	reason    string
}

// because fills in what a refusal says.
func (r record) because(why *sasl.Reject) record {
	r.decision, r.stage, r.code, r.reason, r.claimed = deny, why.Stage, why.Code, why.Private, why.Claimed
	if why.Mechanism != "" {
		r.mechanism = why.Mechanism
	}
	return r
}

func (a *audit) write(r record) {
	a.log.Info(r.message,
		zap.String("conn", r.conn),
		zap.Stringer("remote", r.remote),
		zap.String("server", r.server),
		zap.String("principal", plain(r.principal)),
		zap.String("mechanism", r.mechanism),
		zap.String("claimed", quoted(r.claimed)),
		zap.String("stage", r.stage),
		zap.String("api", r.api),
		zap.String("resource", plain(r.resource)),
		zap.String("decision", r.decision),
		zap.String("code", r.code),
		zap.String("reason", plain(r.reason)))
}
