package asyncapi

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// maxHops bounds a chain of references to references. Real documents have two.
const maxHops = 32

// resolve follows a $ref, and the ones it leads to, within the document. A value that is no reference is its own
// answer. It reports what leads nowhere, and answers false.
func (r *reader) resolve(v value) (value, bool) {
	seen := map[string]bool{}
	for {
		ref, ok := r.reference(v)
		if !ok {
			return v, true
		}
		if !ref.Stated() { // "$ref" with something else than a string: said already
			return value{}, false
		}
		if seen[ref.Value] || len(seen) == maxHops {
			r.fault("document/reference-cycle", ref.Place, "", "reference %s leads back to itself", quote(ref.Value))
			return value{}, false
		}
		seen[ref.Value] = true
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

// target is what a reference points at.
func (r *reader) target(ref Text) (value, bool) {
	pointer, local := strings.CutPrefix(ref.Value, "#")
	if !local {
		r.fault("document/external-reference", ref.Place, "bundle the files into one document first",
			"reference %s leads out of the file, which is not supported for servers and security", quote(ref.Value))
		return value{}, false
	}
	v := r.root
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
				"reference %s leads nowhere: there is no %s%s", quote(ref.Value), quote(plainToken(token)), within(v.at.Pointer))
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
func within(pointer string) string {
	if pointer == "" {
		return " at the top of the document"
	}
	return " in " + pointer
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
