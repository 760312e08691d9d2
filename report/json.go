package report

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"

	"github.com/asyncgate/asyncgate/plan"
)

// The JSON form of a plan is a contract with pipelines: fields may be added, and none renamed or removed. Lists are
// never null.
type planJSON struct {
	Document string         `json:"document"`
	AsyncAPI string         `json:"asyncapi"`
	Title    string         `json:"title"`
	Servers  []serverJSON   `json:"servers"`
	Problems []plan.Problem `json:"problems"`
}

type serverJSON struct {
	Name           string            `json:"name"`
	Protocol       string            `json:"protocol"`
	Pointer        string            `json:"pointer"`
	Enforced       bool              `json:"enforced"`
	Note           string            `json:"note"`
	Listen         string            `json:"listen"`
	Advertise      string            `json:"advertise"`
	SharesListener string            `json:"sharesListener"` // name of the server whose listener serves this one too
	Brokers        string            `json:"brokers"`        // range of ports or template of names
	TLS            bool              `json:"tls"`
	Upstream       []string          `json:"upstream"`
	Alternatives   []alternativeJSON `json:"alternatives"` // one of them suffices
	RequireAll     bool              `json:"requireAll"`   // none of them alone does
	AllowAnonymous bool              `json:"allowAnonymous"`
	Rules          []ruleJSON        `json:"rules"`
}

type alternativeJSON struct {
	Enabled bool              `json:"enabled"`
	All     []requirementJSON `json:"all"`
}

type requirementJSON struct {
	Scheme     *string  `json:"scheme"` // null: written inline, or stated by the settings
	Pointer    string   `json:"pointer"`
	Type       string   `json:"type"`
	Mechanisms []string `json:"mechanisms"`
	Scopes     []string `json:"scopes"`
}

type ruleJSON struct {
	Action       string            `json:"action"`
	Address      string            `json:"address"`
	Operation    string            `json:"operation"`
	File         string            `json:"file"`
	Line         int               `json:"line"`
	Pointer      string            `json:"pointer"`
	Alternatives []alternativeJSON `json:"alternatives"`
}

// writeJSON writes one object, or {"documents": […]} if several documents were asked for.
func writeJSON(w io.Writer, all []Document, opt Options) error {
	documents := each(all, func(one Document) planJSON {
		return planJSON{
			Document: one.Plan.Document, AsyncAPI: one.Plan.AsyncAPI, Title: one.Plan.Title,
			Servers:  each(one.Plan.Servers, serverOf),
			Problems: append([]plan.Problem{}, one.Problems...),
		}
	})
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	if opt.Several || len(documents) != 1 {
		return out.Encode(map[string]any{"documents": documents})
	}
	return out.Encode(documents[0])
}

func serverOf(s plan.Server) serverJSON {
	return serverJSON{
		Name: s.Name, Protocol: s.Protocol, Pointer: s.Pointer, Enforced: s.Enforced, Note: s.Note,
		Listen: s.Listen, Advertise: Address(s.Advertise), SharesListener: s.SharesListener, Brokers: brokersText(s.Brokers),
		TLS: s.TLS != nil, Upstream: words(s.Upstream.Bootstrap), Alternatives: each(s.Alternatives, alternativeOf),
		RequireAll: s.RequireAll, AllowAnonymous: s.AllowAnonymous,
		Rules: each(s.Rules, func(r plan.Rule) ruleJSON {
			return ruleJSON{string(r.Action), r.Address, r.Operation, r.File, r.Line, r.Pointer, each(r.Alternatives, alternativeOf)}
		}),
	}
}

func alternativeOf(a plan.Alternative) alternativeJSON {
	return alternativeJSON{a.Enabled, each(a.All, func(q plan.Requirement) requirementJSON {
		out := requirementJSON{Pointer: q.Pointer, Type: q.Type, Mechanisms: words(q.Mechanisms), Scopes: words(q.Scopes)}
		if q.Scheme != "" {
			out.Scheme = &q.Scheme
		}
		return out
	})}
}

// each maps a list; the result is never null.
func each[T, U any](list []T, to func(T) U) []U {
	out := make([]U, len(list))
	for i, one := range list {
		out[i] = to(one)
	}
	return out
}

func words(list []string) []string { return append([]string{}, slices.Clone(list)...) }

// Address is host:port, or empty for no address.
func Address(a plan.Address) string {
	if a.Host == "" {
		return ""
	}
	return net.JoinHostPort(a.Host, strconv.Itoa(int(a.Port)))
}

// brokersText is the range of ports or the template of names, or empty if each broker gets a free port.
func brokersText(b plan.Brokers) string {
	if b.SNI != "" || b.First == 0 {
		return b.SNI
	}
	return fmt.Sprintf("%d-%d", b.First, b.Last)
}
