package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/asyncgate/asyncgate/plan"
)

// ruleRows are what clients may do, as a header and a row for each rule and each of its alternatives. Servers that allow
// the same are named together.
func ruleRows(p *plan.Plan) [][]cell {
	rows := [][]cell{header("SERVER", "CLIENTS MAY", "TOPIC", "OPERATION", "LINE", "NEEDS ALSO", "ONLY")}
	for _, group := range equalRules(p) {
		name := cell{strings.Join(group.names, ", "), bold}
		for _, r := range group.rules {
			needs := needsOf(r)
			line := fmt.Sprint(r.Line)
			if r.File != p.Document {
				line = r.File + ":" + line
			}
			rows = append(rows, []cell{name, {strings.ToUpper(string(r.Action)), actionColour(r)}, {r.Address, ""}, {r.Operation, ""},
				{line, faint}, needs[0], {only(r), ""}})
			for _, more := range needs[1:] {
				rows = append(rows, []cell{{}, {}, {}, {}, {}, more})
			}
			name = cell{}
		}
	}
	return rows
}

type ruleGroup struct {
	names []string
	rules []plan.Rule
}

// equalRules are the rules of enforced servers.
func equalRules(p *plan.Plan) []ruleGroup {
	var groups []ruleGroup
	for i := range p.Servers {
		s := &p.Servers[i]
		if !s.Enforced || len(s.Rules) == 0 {
			continue
		}
		same := slices.IndexFunc(groups, func(g ruleGroup) bool { return slices.EqualFunc(g.rules, s.Rules, looksAlike) })
		if same >= 0 {
			groups[same].names = append(groups[same].names, s.Name)
			continue
		}
		groups = append(groups, ruleGroup{[]string{s.Name}, s.Rules})
	}
	return groups
}

// looksAlike reports whether two rules have the same row.
func looksAlike(a, b plan.Rule) bool {
	return a.Action == b.Action && a.Address == b.Address && a.Operation == b.Operation && a.Line == b.Line && a.File == b.File &&
		only(a) == only(b) && slices.Equal(needsOf(a), needsOf(b))
}

// actionColour dims what nobody can do.
func actionColour(r plan.Rule) string {
	if r.Stated && !slices.ContainsFunc(r.Alternatives, func(a plan.Alternative) bool { return a.Enabled }) {
		return faint
	}
	return green
}

// needsOf is the security of an operation itself; never none.
func needsOf(r plan.Rule) []cell {
	if !r.Stated {
		return []cell{{}}
	}
	return waysIn(&plan.Server{Alternatives: r.Alternatives})
}

// only is what narrows a rule beyond what its address shows.
func only(r plan.Rule) string {
	var parts []string
	for _, s := range r.Segments {
		if s.Parameter != nil {
			parts = append(parts, parameterText(s.Parameter)...)
		}
	}
	if g := r.Narrow.GroupID; g != nil {
		parts = append(parts, "group "+valuesText(g.Enum, g.Pattern))
	}
	if len(r.Narrow.QoS) > 0 {
		parts = append(parts, fmt.Sprintf("QoS %v", r.Narrow.QoS))
	}
	if r.Narrow.Retain != nil {
		parts = append(parts, map[bool]string{true: "retained", false: "not retained"}[*r.Narrow.Retain])
	}
	return strings.Join(parts, ", ")
}

// parameterText says what a parameter may stand for, if it is not anything.
func parameterText(p *plan.Parameter) []string {
	var parts []string
	name := "{" + p.Name + "}"
	if p.Enum != nil || p.Pattern != "" {
		parts = append(parts, name+" "+valuesText(p.Enum, p.Pattern))
	}
	if p.Integer {
		parts = append(parts, name+" a number")
	}
	if p.MinLength > 0 {
		parts = append(parts, fmt.Sprintf("%s from %d characters", name, p.MinLength))
	}
	if p.MaxLength > 0 {
		parts = append(parts, fmt.Sprintf("%s to %d characters", name, p.MaxLength))
	}
	if p.Dots {
		parts = append(parts, name+" with dots")
	}
	switch p.Principal {
	case "":
	case "name":
		parts = append(parts, name+" the principal's name")
	default:
		parts = append(parts, name+" the principal's "+p.Principal)
	}
	return parts
}

func valuesText(enum []string, pattern string) string {
	text := strings.Join(enum, "|")
	if pattern != "" {
		text = strings.TrimSpace(text + " like " + pattern)
	}
	return text
}
