package compile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/asyncgate/asyncgate/plan"
)

// satisfy finds out whether one client can prove all of a demand on one connection, and by which mechanisms.
func (c *compiler) satisfy(w *work, d *demand) {
	for i := range d.schemes {
		n := &d.schemes[i]
		if n.refusal != "" && d.refusal == "" {
			d.refusal = n.refusal
		}
		if n.refusal == "" && d.refusal == "" && n.exchange && w.version != "" && !w.five() {
			d.refusal = "it needs MQTT 5, and protocolVersion is " + w.version
		}
		if n.refusal == "" && n.secret == token && !d.broken {
			c.believe(d, n)
		}
		if n.warning != "" {
			c.add(plan.Warning, "security/http-scheme", d.at, "", "%s: %s", d.names(), n.warning)
		}
		if n.scheme == "userPassword" && w.family == familyKafka && len(w.set.Mechanisms) > 0 {
			n.mechanisms = slices.DeleteFunc(slices.Clone(n.mechanisms), func(m string) bool {
				for _, allowed := range w.set.Mechanisms {
					if allowed.V == m {
						return false
					}
				}
				return true
			})
		}
	}
	if d.refusal == "" && !d.broken {
		var all []*needed
		for i := range d.schemes {
			all = append(all, &d.schemes[i])
		}
		d.refusal = together(all)
		d.clash = d.refusal != ""
	}
}

// together narrows schemes to the mechanisms that prove all of them: there is one login on a connection, beside
// one client certificate. It answers why there is no such mechanism.
func together(all []*needed) string {
	var login *needed
	var common []string
	for _, n := range all {
		switch {
		case n.secret == certificate:
		case login == nil:
			login, common = n, n.mechanisms
		case n.secret != login.secret:
			return fmt.Sprintf("one login cannot carry both %s and %s", login.secret, n.secret)
		default:
			common = slices.DeleteFunc(slices.Clone(common), func(m string) bool { return !slices.Contains(n.mechanisms, m) })
			if len(common) == 0 {
				return fmt.Sprintf("no mechanism proves both %s and %s", login.scheme, n.scheme)
			}
		}
	}
	for _, n := range all {
		if n.secret != certificate {
			n.mechanisms = common
		}
	}
	return ""
}

// refused reports a demand that cannot be met: alone it stops the start, beside others it is left out.
func (c *compiler) refused(w *work, d *demand, usable int) {
	if d.refusal == "" || d.broken {
		return
	}
	hint := w.speaks() + " servers can enforce " + strings.Join(Supported(w.out), ", ")
	switch {
	case usable > 0 && !w.out.RequireAll:
		c.add(plan.Warning, "security/alternative-disabled", d.at, d.lift, "%s is no way in: %s", d.names(), d.refusal)
	case d.lift != "":
		c.add(plan.Error, "settings/no-issuer", d.at, d.lift, "%s lets nobody in: %s", d.names(), d.refusal)
	case d.clash:
		c.add(plan.Error, "security/unsatisfiable", d.at, "make each an item of its own if one of them is enough", "%s cannot be proved together: %s", d.names(), d.refusal)
	default:
		c.add(plan.Error, "security/unsupported-scheme", d.at, hint, "%s cannot be enforced: %s", d.names(), d.refusal)
	}
}

// requireAll judges the demands as one: the settings want all of them at once.
func (c *compiler) requireAll(w *work, demands []demand) {
	var all []*needed
	for i := range demands {
		if demands[i].broken || demands[i].refusal != "" {
			return // an error already
		}
		for j := range demands[i].schemes {
			all = append(all, &demands[i].schemes[j])
		}
	}
	if why := together(all); why != "" {
		c.add(plan.Error, "security/unsatisfiable", c.inSettings(w.set.RequireAll.At), "remove requireAll",
			"the schemes of server %s cannot be proved together: %s", w.doc.Name, why)
	}
}
