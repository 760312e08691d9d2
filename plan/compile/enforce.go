package compile

import (
	"github.com/asyncgate/asyncgate/plan"
)

// enforceable is whether the gateway enforces operations. While it does not, a plan that asks for it is shown by check and
// refused by run: this is the one switch.
const enforceable = false

// enforcement says how far the document is enforced, and what that leaves open. Run is whether the plan is to be run.
func (c *compiler) enforcement(run bool) {
	c.direction()
	running := false
	for i := range c.out.Servers {
		running = running || c.out.Servers[i].Enforced
	}
	if !running {
		return
	}
	at := place{file: c.doc.File}
	switch {
	case c.out.Enforce == plan.Connections:
		c.add(plan.Warning, "security/operations-not-enforced", at, "",
			"only connections are enforced, operations are not: whoever gets in may use every topic and group that the gateway may")
	case !enforceable:
		severity := plan.Warning
		if run {
			severity = plan.Error
		}
		c.add(severity, "settings/unsupported", c.inSettings(c.set.Enforce.At), "write enforce: connections, or leave it out",
			"enforce: %s is not supported yet: the rules are shown, and nothing keeps clients to them", c.out.Enforce)
	case c.out.Enforce == plan.Observe:
		c.add(plan.Warning, "security/observed", c.inSettings(c.set.Enforce.At), "write enforce: operations once nothing unexpected is recorded",
			"what no operation allows is recorded, and passes all the same")
	}
}
