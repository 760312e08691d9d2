package compile

import (
	"github.com/asyncgate/asyncgate/plan"
)

// enforceable reports whether the gateway enforces operations on a server. While it does not everywhere, a plan that asks
// for it is shown by check and refused by run: this is the one switch.
func enforceable(s *plan.Server) bool { return family(s.Protocol) == familyKafka }

// enforcement says how far the document is enforced, and what that leaves open. Run is whether the plan is to be run.
func (c *compiler) enforcement(run bool) {
	c.direction()
	running, lacking := false, ""
	for i := range c.out.Servers {
		s := &c.out.Servers[i]
		running = running || s.Enforced
		if s.Enforced && !enforceable(s) && lacking == "" {
			lacking = s.Name
		}
	}
	if !running {
		return
	}
	at := place{file: c.doc.File}
	switch {
	case c.out.Enforce == plan.Connections:
		c.add(plan.Warning, "security/operations-not-enforced", at, "",
			"only connections are enforced, operations are not: whoever gets in may use every topic and group that the gateway may")
	case lacking != "":
		severity := plan.Warning
		if run {
			severity = plan.Error
		}
		c.add(severity, "settings/unsupported", c.inSettings(c.set.Enforce.At), "write enforce: connections, or leave it out",
			"enforce: %s is not supported yet on server %s: the rules are shown, and nothing keeps clients to them", c.out.Enforce, lacking)
	case c.out.Enforce == plan.Observe:
		c.add(plan.Warning, "security/observed", c.inSettings(c.set.Enforce.At), "write enforce: operations once nothing unexpected is recorded",
			"what no operation allows is recorded, and passes all the same")
	}
}
