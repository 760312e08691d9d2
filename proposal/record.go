// Package proposal makes an AsyncAPI document of an existing one and of what `enforce: observe` has recorded: the document
// that would have denied none of it.
//
// [Record] reads what was recorded, [Make] proposes, and [Proposal.Holds] proves that the proposed document allows what was
// asked of it and no more. Nothing here opens a file. Whatever cannot be written into a document exactly is left out, with the
// reason: what is left out stays denied.
package proposal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/asyncgate/asyncgate/plan"
)

// Bounds of what is read. A gateway keeps 10,000 observations too; the bytes are those of a log that has some days in it.
const (
	MaxInput = 64 << 20 // bytes of one input
	MaxSeen  = 10_000   // different observations of all inputs
	maxFault = 20       // faults that are told; the rest is counted
)

// Kinds of resources, as observations name them.
const (
	topicKind       = "topic"
	groupKind       = "group"
	transactionKind = "transaction"
)

// Seen is something that the rules denied and that passed, because enforce was observe.
type Seen struct {
	Server, Principal string
	Action            plan.Action
	Kind, Name        string // of the resource
}

func (s *Seen) String() string {
	return fmt.Sprintf("%s %s:%s by %s on server %s", s.Action, s.Kind, shown(s.Name), quoted(s.Principal), shown(s.Server))
}

// Record is what one or several gateways have observed.
type Record struct {
	seen map[Seen]uint64 // how often at least: the most that any input says

	Other   int      // records about something else
	Unknown int      // observations of a form that this version does not know
	Inexact int      // observations whose names the log has cut or escaped
	Full    int      // observations that there was no place for, here or at a gateway
	Broken  int      // lines that are no JSON objects
	Faults  []string // the first of the broken lines, as INPUT:LINE: why
}

// Len is how many different observations there are.
func (r *Record) Len() int { return len(r.seen) }

// observation is an item of what GET /observed answers.
type observation struct {
	Server    string `json:"server"`
	Principal string `json:"principal"`
	Action    string `json:"action"`
	Resource  string `json:"resource"`
	Count     uint64 `json:"count"`
}

// line is a line of a log, or a whole answer to GET /observed.
type line struct {
	Observed *[]observation `json:"observed"`
	Lost     int            `json:"lost"`

	Message   string `json:"msg"`
	Decision  string `json:"decision"`
	Server    string `json:"server"`
	Principal string `json:"principal"`
	Resource  string `json:"resource"` // the action, a space, and the resource
	Reason    string `json:"reason"`
}

// Read adds an input: the answer to GET /observed, however it is laid out, or a log of JSON records, one a line. Lines that
// are no JSON objects are skipped and told by the name of the input. The data is at most MaxInput; the caller sees to it.
func (r *Record) Read(name string, data []byte) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	var whole line
	if json.Unmarshal(data, &whole) == nil && whole.Observed != nil {
		r.answer(&whole)
		return
	}
	number := 0
	for text := range bytes.Lines(data) {
		number++
		if text = bytes.TrimSpace(text); len(text) == 0 {
			continue
		}
		var l line
		if err := json.Unmarshal(text, &l); err != nil || text[0] != '{' {
			r.broken(name, number)
			continue
		}
		switch {
		case l.Observed != nil:
			r.answer(&l)
		case l.Message == "observed" && l.Decision == "would-deny":
			r.audit(&l)
		default:
			r.Other++
		}
	}
}

func (r *Record) broken(name string, number int) {
	if r.Broken++; r.Broken <= maxFault {
		r.Faults = append(r.Faults, fmt.Sprintf("%s:%d: not a JSON record, skipped", name, number))
	}
}

func (r *Record) answer(l *line) {
	r.Full += max(l.Lost, 0)
	for _, o := range *l.Observed {
		r.add(o.Server, o.Principal, o.Action, o.Resource, o.Count)
	}
}

var seenTimes = regexp.MustCompile(`; seen ([0-9]{1,19}) times$`)

// audit adds an audit record.
func (r *Record) audit(l *line) {
	if lossy(l.Resource) || lossy(l.Principal) {
		r.Inexact++
		return
	}
	count := uint64(1)
	if m := seenTimes.FindStringSubmatch(l.Reason); m != nil {
		count, _ = strconv.ParseUint(m[1], 10, 64) // digits, and few enough
	}
	action, resource, _ := strings.Cut(l.Resource, " ")
	r.add(l.Server, l.Principal, action, resource, count)
}

// maxLogged is how many bytes of a name audit records have; what is longer ends with three dots there.
const maxLogged = 256

// lossy reports whether a field of an audit record may stand for another name than the one that was seen.
func lossy(field string) bool {
	return strings.Contains(field, `\`) || len(field) > maxLogged && strings.HasSuffix(field, "...")
}

func (r *Record) add(server, principal, action, resource string, count uint64) {
	kind, name, _ := strings.Cut(resource, ":")
	s := Seen{Server: server, Principal: principal, Action: plan.Action(action), Kind: kind, Name: name}
	switch {
	case !slices.Contains([]string{topicKind, groupKind, transactionKind}, kind), name == "", !known(s.Action):
		r.Unknown++
		return
	case strings.ContainsRune(server+principal+name, utf8.RuneError): // JSON has it for what was no UTF-8
		r.Inexact++
		return
	}
	old, there := r.seen[s]
	if !there && len(r.seen) >= MaxSeen {
		r.Full++
		return
	}
	if r.seen == nil {
		r.seen = make(map[Seen]uint64)
	}
	r.seen[s] = max(old, count, 1)
}

func known(a plan.Action) bool {
	return slices.Contains([]plan.Action{plan.Produce, plan.Consume, plan.Describe, plan.Use, plan.Create, plan.Delete}, a)
}

// maxShown bounds a name in a message or a comment, in bytes.
const maxShown = 128

// quoted is a name as a comment or a message can have it: one line of printable ASCII, whatever somebody has called himself.
func quoted(s string) string {
	if len(s) > maxShown {
		s = s[:maxShown] + "..."
	}
	return strconv.QuoteToASCII(s)
}

// shown is quoted, without the quotation marks where nothing needs them.
func shown(s string) string {
	if q := quoted(s); q != `"`+s+`"` || strings.ContainsAny(s, " #") {
		return q
	}
	return s
}

// All yields the observations, in an order of its own, and how often each was seen at least.
func (r *Record) All() iter.Seq2[Seen, uint64] { return maps.All(r.seen) }
