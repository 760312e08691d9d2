package credentials

// checkUnique finds what may stand in a file once only: a name among its kind, the id of a key, and a rule among the
// certificates that are not revoked.
func (r *reader) checkUnique(f *File) {
	users, keys, certificates := names{}, names{}, names{}
	for _, u := range f.Users {
		r.once(users, u.Name, "user", &u.Entry)
	}
	ids := names{}
	for _, k := range f.Keys {
		r.once(keys, k.Name, "key", &k.Entry)
		r.once(ids, k.ID, "key id", &k.Entry)
		for _, p := range k.Previous {
			r.once(ids, p.ID, "key id", &k.Entry)
		}
	}
	rules := names{}
	for _, c := range f.Certificates {
		r.once(certificates, c.Name, "certificate", &c.Entry)
		if !c.Revoked.IsZero() {
			continue
		}
		for _, rule := range c.Match {
			if line, twice := rules[rule.key()]; twice {
				r.fault(c.line, "", "the rule %s stands here and on line %d: nobody could tell whose certificate it is", rule, line)
			}
			rules[rule.key()] = c.line
		}
	}
}

// names are the lines on which names stand.
type names map[string]int

func (r *reader) once(seen names, name, what string, e *Entry) {
	if line, twice := seen[name]; twice && name != "" {
		r.fault(e.line, "", "%s %q stands here and on line %d", what, cut(name), line)
		return
	}
	seen[name] = e.line
}
