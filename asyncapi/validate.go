package asyncapi

import (
	"cmp"
	"slices"
	"strings"
)

// Validate holds the whole document against the specification of its version: against the official JSON Schema, and against
// what the text says beyond it. It returns what Read has not said already, in the order of lines, one problem a cause. It
// costs tens of milliseconds; a document may be validated once.
//
// Read alone reports all that keeps a plan from being made. A document that is to be enforced should pass both.
func (d *Document) Validate() (problems []Problem) {
	r := d.reader
	before := len(r.problems)
	j := &judge{reader: r, doc: d, values: newConverter(), noted: map[bool]int{}}
	defer func() {
		switch stop := recover().(type) {
		case nil:
		case tooLarge:
			r.muted = false
			r.fault("document/too-large", stop.at, "use fewer aliases and references",
				"the document stands for too many values to be looked at")
		default:
			panic(stop)
		}
		problems = slices.Clone(r.problems[before:])
	}()
	if r.told[true] == maxProblems {
		return nil // there is enough to do
	}
	r.visits, r.server = 0, nil
	j.values.value(r.root.node, r.root.at.File) // a bomb is found before the schema costs anything
	j.schema = schemaOf(d.Version)
	d.schema = j.schema
	j.validateSchema()
	j.rules()
	j.tell()
	return nil
}

// judge is one document being validated.
type judge struct {
	*reader
	doc    *Document
	schema *schema
	values *converter

	found []Problem
	noted map[bool]int // how many errors, and how many others
}

// say notes a problem of severity error; tell decides whether it is reported.
func (j *judge) say(code string, at Place, hint, message string) {
	j.note(Error, code, at, hint, message)
}

func (j *judge) note(s Severity, code string, at Place, hint, message string) {
	if j.noted[s == Error]++; j.noted[s == Error] > 10*maxProblems {
		return
	}
	j.found = append(j.found, Problem{
		Severity: s, Code: code, File: at.File, Line: at.Line, Column: at.Column, Pointer: at.Pointer,
		Message: message, Hint: hint,
	})
}

// tell reports what was found, but for what follows from something else that is said.
func (j *judge) tell() {
	slices.SortStableFunc(j.found, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(len(a.Pointer), len(b.Pointer)), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Message, b.Message))
	})
	said := newSaid(j.problems)
	for _, p := range j.found {
		if !said.covers(p) {
			if p.Severity == Error { // a warning hides nothing
				said.add(p)
			}
			j.report(p.Severity, p.Code, Place{p.File, p.Line, p.Column, p.Pointer}, p.Hint, "%s", p.Message)
			j.assign(p)
		}
	}
}

// assign gives a problem to the servers that it lies in, as the reader does with its own.
func (j *judge) assign(p Problem) {
	for i := range j.doc.Servers {
		s := &j.doc.Servers[i]
		for _, at := range []Place{s.Place, s.Definition} {
			if at.File == p.File && at.Pointer != "" && (p.Pointer == at.Pointer || strings.HasPrefix(p.Pointer, at.Pointer+"/")) {
				s.Problems = append(s.Problems, p)
				break
			}
		}
	}
}

// spot is a place without its line: what a problem is about.
type spot struct{ file, pointer string }

// said knows what has been said, to find out whether a problem is news.
type said struct {
	at     map[spot][]Problem
	owners map[spot]bool // objects that the reader judges, and found at fault
}

func newSaid(problems []Problem) *said {
	s := &said{at: map[spot][]Problem{}, owners: map[spot]bool{}}
	for _, p := range problems {
		if p.Severity == Error && strings.HasPrefix(p.Code, "document/") {
			s.add(p)
			s.owners[spot{p.File, owner(p.Pointer)}] = true
		}
	}
	return s
}

func (s *said) add(p Problem) {
	s.at[spot{p.File, p.Pointer}] = append(s.at[spot{p.File, p.Pointer}], p)
}

// covers reports whether p is the consequence of something said: at the same place, or within a value that is wrong as a
// whole, or in a server, a scheme or a requirement with which the reader has found fault.
func (s *said) covers(p Problem) bool {
	if o := owner(p.Pointer); o != "" && s.owners[spot{p.File, o}] {
		return true
	}
	for _, q := range s.at[spot{p.File, p.Pointer}] {
		if q.Code != p.Code || q.Code != "document/missing-field" || q.Message == p.Message {
			return true
		}
	}
	if whole, ok := strings.CutSuffix(p.Pointer, "/$ref"); ok && len(s.at[spot{p.File, whole}]) > 0 {
		return true
	}
	for up := parent(p.Pointer); up != ""; up = parent(up) {
		for _, q := range s.at[spot{p.File, up}] {
			if whole[q.Code] {
				return true
			}
		}
	}
	return false
}

// whole are the codes that condemn a value with all that is in it.
var whole = map[string]bool{
	"document/wrong-type": true, "document/unknown-field": true, "document/requirement-style": true,
	"document/unresolved-reference": true, "document/reference-not-allowed": true, "document/duplicate-key": true,
	"document/duplicate-item": true,
}

// owner is the pointer of the server, the security scheme or the security requirement that a pointer is in, or empty.
func owner(pointer string) string {
	tokens := strings.Split(pointer, "/")
	for i := 1; i+1 < len(tokens); i++ {
		if tokens[i] == "security" || tokens[i] == "securitySchemes" || tokens[i] == "servers" && (i == 1 || tokens[i-1] == "components") {
			end := i + 2
			if tokens[i] == "servers" {
				for k := end; k+1 < len(tokens); k++ {
					if tokens[k] == "security" {
						end = k + 2
						break
					}
				}
			}
			return strings.Join(tokens[:min(end, len(tokens))], "/")
		}
	}
	return ""
}

// parent is the pointer one token up.
func parent(pointer string) string {
	return pointer[:max(strings.LastIndexByte(pointer, '/'), 0)]
}
