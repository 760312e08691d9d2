package compile

import (
	"fmt"
	"slices"

	"github.com/asyncgate/asyncgate/asyncapi"
	"github.com/asyncgate/asyncgate/plan"
)

// operationSecurity is what an operation demands besides its server. An alternative that no connection to the server can
// have met is disabled.
func (c *compiler) operationSecurity(w *work, o *asyncapi.Operation) (stated bool, list []plan.Alternative) {
	if o.Security == nil || len(o.Security.Requirements) == 0 {
		return false, nil
	}
	demands := c.documentDemands(w, o.Security)
	reached, why := false, ""
	for i := range demands {
		d := &demands[i]
		c.satisfy(w, d)
		if d.refusal == "" && !d.broken {
			d.refusal = w.unreachable(d)
		}
		if reached = reached || d.refusal == "" && !d.broken; d.refusal != "" && why == "" {
			why = d.names() + ": " + d.refusal
		}
		list = append(list, d.alternative())
	}
	if !reached && why != "" {
		c.add(plan.Warning, "security/operation-unreachable", inDocument(o.Security.Place), "",
			"nobody can do operation %s on server %s: %s", o.Name, w.doc.Name, why)
	}
	return true, list
}

// way is one way into a server: everything that is proved on one connection.
type way []needed

// waysIn are the ways into a server whose demands have been judged.
func waysIn(demands []demand, all bool) []way {
	var list []way
	var together way
	for _, d := range demands {
		if d.broken || d.refusal != "" {
			continue
		}
		list = append(list, d.schemes)
		together = append(together, d.schemes...)
	}
	if all && len(list) > 0 {
		return []way{together}
	}
	return list
}

// unreachable says why no connection to the server proves what is demanded; empty if one can.
func (w *work) unreachable(d *demand) string {
	if slices.ContainsFunc(d.schemes, isCertificate) && !slices.ContainsFunc(w.ways, func(in way) bool { return slices.ContainsFunc(in, isCertificate) }) {
		return "server " + w.doc.Name + " asks for no client certificate"
	}
	if slices.ContainsFunc(d.schemes, isLogin) {
		if why := w.compatible(d, func(in way) bool { return slices.ContainsFunc(in, isLogin) }); why != "" {
			return why
		}
	}
	return w.compatible(d, func(way) bool { return true })
}

// compatible says why what is demanded goes together with none of the ways in that count.
func (w *work) compatible(d *demand, counts func(way) bool) string {
	why := fmt.Sprintf("server %s asks for no login", w.doc.Name)
	for _, in := range w.ways {
		if !counts(in) {
			continue
		}
		var all []*needed
		for _, n := range slices.Concat(in, d.schemes) { // copies: the mechanisms of each are narrowed
			all = append(all, &n)
		}
		if why = together(all); why == "" {
			return ""
		}
	}
	return why
}

func isCertificate(n needed) bool { return n.secret == certificate }

func isLogin(n needed) bool { return n.secret != certificate }
