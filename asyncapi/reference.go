package asyncapi

import (
	"fmt"
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
		first := r.cyclic[v.node]
		if !first.Stated() && (seen[v.at] || len(seen) == maxHops) {
			first = ref
		}
		if first.Stated() { // one problem for all that lead into a circle
			r.fault("document/reference-cycle", first.Place, "", "reference %s leads back to itself", quote(first.Value))
			for _, n := range chain {
				r.cyclic[n] = first
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

// isReference reports whether a value is a reference, and says nothing.
func (r *reader) isReference(v value) bool { return r.get(v, "$ref").isString() }

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
		if !next.there() && r.isReference(v) && r.through < maxHops {
			r.through++ // what the pointer passes may be a reference itself
			inner, ok := r.resolve(v)
			r.through--
			if !ok {
				return value{}, false // said there
			}
			v = inner
			next = r.step(v, token)
		}
		if !next.there() {
			r.fault("document/unresolved-reference", ref.Place, r.choices(v, plainToken(token)),
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

// choices is the hint that names what was meant, or what there is if that is a short list.
func (r *reader) choices(v value, word string) string {
	const most = 12
	var keys, names []string
	for _, f := range r.fields(v) {
		keys, names = append(keys, f.key), append(names, quote(f.key))
	}
	if near := nearestKey(word, keys); near != "" {
		return "did you mean " + quote(near) + "?"
	}
	if len(names) == 0 || len(names) > most {
		return ""
	}
	return "there is " + oneOf(names)
}

// entry is the pointer of the entry of a root object that leads to the same as a reference does, or empty.
func (r *reader) entry(root string, v value) string {
	muted := r.muted
	r.muted = true
	defer func() { r.muted = muted }()
	target, ok := r.resolve(v)
	if !ok {
		return ""
	}
	for _, f := range r.fields(r.get(r.root, root)) {
		if same, ok := r.resolve(f.value); ok && same.node == target.node {
			return member("/"+root, f.key)
		}
	}
	return ""
}

// referenceHint shows a reference to an entry of a root object, to the one that was meant if it is there.
func (r *reader) referenceHint(form, root string, v value) string {
	entry := r.entry(root, v)
	if entry == "" {
		entry = "/" + root + "/NAME"
	}
	return fmt.Sprintf(form, "$ref: '#"+entry+"'")
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
