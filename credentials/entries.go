package credentials

import (
	"strconv"

	"go.yaml.in/yaml/v4"
)

// common are the keys that every entry may have.
var common = []string{"name", "scopes", "attributes", "since", "expires", "revoked"}

func with(more ...string) []string { return append(append([]string(nil), common...), more...) }

var (
	userKeys        = with("verifiers", "previous")
	keyKeys         = with("id", "sha256", "previous")
	certificateKeys = with("match")
)

func (r *reader) file(root *yaml.Node) *File {
	f := &File{}
	top, ok := r.mapping(root, "the file", "version", "users", "keys", "certificates")
	if !ok || !r.version(top) {
		return f
	}
	for _, n := range r.items(top.nodes["users"], "users") {
		if u := r.user(n); u != nil {
			f.Users = append(f.Users, u)
		}
	}
	for _, n := range r.items(top.nodes["keys"], "keys") {
		if k := r.key(n); k != nil {
			f.Keys = append(f.Keys, k)
		}
	}
	for _, n := range r.items(top.nodes["certificates"], "certificates") {
		if c := r.certificate(n); c != nil {
			f.Certificates = append(f.Certificates, c)
		}
	}
	return f
}

func (r *reader) version(top fields) bool {
	n := top.nodes["version"]
	if n == nil {
		r.fault(top.line, "", "no version: it has to be version: %d", Version)
		return false
	}
	text, ok := r.text(n, "version")
	number, err := strconv.Atoi(text)
	switch {
	case !ok:
		return false
	case err == nil && number > Version:
		r.fault(n.Line, "it was written by a newer asyncgate", "version %d of the format, and this asyncgate reads version %d", number, Version)
		return false
	case text != strconv.Itoa(Version):
		r.fault(n.Line, "", "version has to be %d", Version)
		return false
	}
	return true
}

// entry reads what all kinds have. ok is false where there is no name to go on with.
func (r *reader) entry(n *yaml.Node, what string, known []string) (fields, Entry, bool) {
	f, ok := r.mapping(n, what, known...)
	if !ok {
		return f, Entry{}, false
	}
	e := Entry{line: f.line}
	name := f.nodes["name"]
	if name == nil {
		r.fault(f.line, "", "%s without a name", what)
		return f, e, false
	}
	if e.Name, ok = r.text(name, "name"); !ok {
		return f, e, false
	}
	if err := CheckName(e.Name); err != nil {
		r.fault(name.Line, "", "%s: %v", what, err)
		return f, e, false
	}
	e.Scopes = r.texts(f.nodes["scopes"], "scopes")
	e.Attributes = r.attributes(f.nodes["attributes"])
	e.Since = r.moment(f.nodes["since"], "since")
	e.Expires = r.moment(f.nodes["expires"], "expires")
	e.Revoked = r.moment(f.nodes["revoked"], "revoked")
	return f, e, true
}

func (r *reader) attributes(n *yaml.Node) map[string]string {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.MappingNode || n.Anchor != "" {
		r.fault(n.Line, "", "attributes has to be a mapping")
		return nil
	}
	attributes := make(map[string]string, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, ok := r.text(n.Content[i], "the name of an attribute")
		value, ok2 := r.text(n.Content[i+1], "the value of an attribute")
		_, twice := attributes[key]
		switch {
		case !ok || !ok2:
		case twice:
			r.fault(n.Content[i].Line, "", "attributes has %q twice", cut(key))
		case key == "" || hasControl(key) || hasControl(value):
			r.fault(n.Content[i].Line, "", "an attribute without a name, or with control characters")
		default:
			attributes[key] = value
		}
	}
	return attributes
}

func (r *reader) user(n *yaml.Node) *User {
	f, e, ok := r.entry(n, "a user", userKeys)
	if !ok {
		return nil
	}
	u := &User{Entry: e, Verifiers: r.verifiers(f.nodes["verifiers"], e.Name)}
	for _, item := range r.items(f.nodes["previous"], "previous") {
		if p, ok := r.password(item, u); ok {
			u.Previous = append(u.Previous, p)
		}
	}
	r.fewPrevious(len(u.Previous), &e)
	switch revoked := !e.Revoked.IsZero(); {
	case revoked && (f.nodes["verifiers"] != nil || f.nodes["previous"] != nil):
		r.fault(e.line, "remove them", "user %q is revoked and still has verifiers", e.Name)
	case !revoked && f.nodes["verifiers"] == nil:
		r.fault(e.line, "", "user %q has no verifiers", e.Name)
	}
	return u
}

func (r *reader) verifiers(n *yaml.Node, name string) []Verifier {
	if n == nil {
		return nil
	}
	items := r.items(n, "verifiers")
	if len(items) == 0 {
		r.fault(n.Line, "", "user %q: verifiers is empty", name)
	}
	var verifiers []Verifier
	for _, item := range items {
		text, ok := r.text(item, "a verifier")
		if !ok {
			continue
		}
		v, err := ParseVerifier(text)
		if err != nil {
			r.fault(item.Line, "", "user %q: %v", name, err)
			continue
		}
		for _, other := range verifiers {
			if other.Hash == v.Hash {
				r.fault(item.Line, "", "user %q has two verifiers of SCRAM-%s", name, v.Hash)
			}
		}
		verifiers = append(verifiers, v)
	}
	return verifiers
}

func (r *reader) password(n *yaml.Node, u *User) (Password, bool) {
	f, ok := r.mapping(n, "an earlier password", "since", "until", "verifiers")
	if !ok {
		return Password{}, false
	}
	p := Password{Since: r.moment(f.nodes["since"], "since"), Until: r.moment(f.nodes["until"], "until"),
		Verifiers: r.verifiers(f.nodes["verifiers"], u.Name)}
	if f.nodes["until"] == nil || f.nodes["verifiers"] == nil {
		r.fault(f.line, "", "an earlier password of %q needs until and verifiers", u.Name)
	}
	for _, old := range p.Verifiers {
		shared := false
		for _, v := range u.Verifiers {
			shared = shared || v.sharesSalt(old)
		}
		if !shared {
			r.fault(f.line, "", "an earlier password of %q does not share salt and iterations with a current SCRAM-%s verifier", u.Name, old.Hash)
		}
	}
	return p, true
}
