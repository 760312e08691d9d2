package asyncapi

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// maxHops bounds a chain of references to references. Real documents have two.
const maxHops = 32

// resolve follows a $ref, and the ones it leads to. A value that is no reference is its own answer. It reports what leads
// nowhere, and answers false.
func (r *reader) resolve(v value) (value, bool) {
	seen := map[Place]bool{}
	var chain []*yaml.Node
	for {
		ref, ok := r.reference(v)
		if !ok {
			return v, true
		}
		if !ref.Stated() { // "$ref" with something else than a string: said already
			return value{}, false
		}
		if seen[v.at] || len(seen) == maxHops {
			r.fault("document/reference-cycle", ref.Place, "", "reference %s leads back to itself", quote(ref.Value))
			for _, n := range chain {
				r.cyclic[n] = true
			}
			return value{}, false
		}
		seen[v.at] = true
		chain = append(chain, v.node)
		if v, ok = r.target(ref); !ok {
			return value{}, false
		}
	}
}

// reference is the $ref of an object that is one.
func (r *reader) reference(v value) (Text, bool) {
	fields := r.fields(v)
	for _, f := range fields {
		if f.key != "$ref" {
			continue
		}
		ref := r.text(f.value)
		for _, other := range fields {
			if other.key != "$ref" && !extension(other.key) && ref.Stated() {
				r.report(Warning, "document/reference-siblings", other.keyAt, "move it to where the reference leads",
					"%s stands beside a $ref and counts for nothing", quote(other.key))
			}
		}
		return ref, true
	}
	return Text{}, false
}

// target is what a reference points at: a file, or what a JSON pointer (RFC 6901) leads to in one.
func (r *reader) target(ref Text) (value, bool) {
	name, pointer, fragment := strings.Cut(ref.Value, "#")
	v := r.files[ref.File].root
	if name != "" {
		known, f, ok := r.open(ref, name)
		if !ok {
			return value{}, false
		}
		if v, ok = r.parse(known, f); !ok {
			r.faults++ // reported with the first reference to it
			return value{}, false
		}
	} else if !fragment {
		r.fault("document/unresolved-reference", ref.Place, "write it as #/components/…", "the reference is empty")
		return value{}, false
	}
	return r.point(v, ref, pointer)
}

// point follows a JSON pointer.
func (r *reader) point(v value, ref Text, pointer string) (value, bool) {
	if pointer == "" {
		return v, true
	}
	rest, ok := strings.CutPrefix(pointer, "/")
	if !ok {
		r.fault("document/unresolved-reference", ref.Place, "write it as #/components/…",
			"reference %s is no JSON pointer", quote(ref.Value))
		return value{}, false
	}
	for token := range strings.SplitSeq(rest, "/") {
		next := r.step(v, token)
		if !next.there() {
			r.fault("document/unresolved-reference", ref.Place, r.choices(v),
				"reference %s leads nowhere: there is no %s%s", quote(ref.Value), quote(plainToken(token)), r.within(v.at, ref.File))
			return value{}, false
		}
		v = next
	}
	return v, true
}

// step is one token of a pointer further. A token is taken as it stands, or percent-decoded: both are written.
func (r *reader) step(v value, token string) value {
	if v.isList() {
		i, err := strconv.Atoi(token)
		if err != nil || i < 0 || i >= len(v.node.Content) || strconv.Itoa(i) != token {
			return value{}
		}
		return r.items(v)[i]
	}
	if next := r.get(v, unescapePointer.Replace(token)); next.there() {
		return next
	}
	return r.get(v, plainToken(token))
}

// plainToken is the name a token of a pointer in a URI fragment stands for (RFC 6901 section 6).
func plainToken(token string) string {
	if decoded, err := url.PathUnescape(token); err == nil {
		token = decoded
	}
	return unescapePointer.Replace(token)
}

// within says where something was looked for.
func (r *reader) within(at Place, from string) string {
	where := " in " + at.Pointer
	switch {
	case at.Pointer == "" && at.File == r.root.at.File:
		return " at the top of the document"
	case at.Pointer == "":
		return " at the top of " + at.File
	case at.File != from:
		where += " of " + at.File
	}
	return where
}

// choices is the hint that names what there is, if that is a short list.
func (r *reader) choices(v value) string {
	const most = 12
	fields := r.fields(v)
	if len(fields) == 0 || len(fields) > most {
		return ""
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = quote(f.key)
	}
	return "there is " + oneOf(names)
}

// last names what a pointer leads to, for messages: its last token, or "item 0 of enum".
func last(pointer string) string {
	if pointer == "" {
		return "the document"
	}
	parent, token := pointer[:strings.LastIndexByte(pointer, '/')], pointer[strings.LastIndexByte(pointer, '/')+1:]
	if _, err := strconv.Atoi(token); err == nil && parent != "" {
		return "item " + token + " of " + last(parent)
	}
	if name := unescapePointer.Replace(token); plainName.MatchString(name) {
		return name
	}
	return quote(unescapePointer.Replace(token))
}

var plainName = regexp.MustCompile(`^[$A-Za-z0-9_.-]+$`)
