package compile

import (
	"github.com/asyncgate/asyncgate/plan"
)

// enforcement says how far the document is enforced, and what that leaves open.
func (c *compiler) enforcement() {
	c.direction()
	running := false
	for i := range c.out.Servers {
		running = running || c.out.Servers[i].Enforced
	}
	if !running {
		return
	}
	at := place{file: c.doc.File}
	switch c.out.Enforce {
	case plan.Connections:
		c.add(plan.Warning, "security/operations-not-enforced", at, "",
			"only connections are enforced, operations are not: whoever gets in may use every topic and group that the gateway may")
	case plan.Observe:
		c.add(plan.Warning, "security/observed", c.inSettings(c.set.Enforce.At), "write enforce: operations once nothing unexpected is recorded",
			"what no operation allows is recorded, and passes all the same")
	}
}
