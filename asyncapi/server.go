package asyncapi

import "regexp"

// serverName is what the specification allows as a server's name in 2.x; 3.x says the same of component keys.
var serverName = regexp.MustCompile(`^[A-Za-z0-9_\-]+$`)

// servers reads the servers object, which may be a reference as a whole.
func (r *reader) servers(v value) []Server {
	if !v.there() {
		return nil
	}
	all, ok := r.resolve(v)
	if !ok {
		return nil
	}
	if !all.isObject() {
		r.fault("document/wrong-type", all.at, "write name: {…} for each server", "servers has to be an object, not %s", all.kind())
		return nil
	}
	r.rootServers = all
	var list []Server
	for _, f := range r.fields(all) {
		if extension(f.key) {
			continue
		}
		s := Server{Place: f.keyAt, Name: f.key}
		s.Pointer = member("/servers", f.key) // also where the servers object stands elsewhere
		r.server = &s
		r.readServer(&s, f.value)
		r.server = nil
		list = append(list, s)
	}
	return list
}

func (r *reader) readServer(s *Server, v value) {
	if !serverName.MatchString(s.Name) {
		r.fault("document/invalid-value", s.Place, "use letters, digits, _ and -", "%s is no name for a server", quote(s.Name))
	}
	v, ok := r.resolve(v)
	if !ok {
		return
	}
	s.Definition = v.at
	if !v.isObject() {
		r.fault("document/wrong-type", v.at, emptyHint(v), "a server has to be an object, not %s", v.kind())
		return
	}
	s.Protocol = r.text(r.get(v, "protocol"))
	s.ProtocolVersion = r.text(r.get(v, "protocolVersion"))
	if r.major == 2 {
		s.URL = r.text(r.get(v, "url"))
	} else {
		s.Host = r.text(r.get(v, "host"))
		s.Pathname = r.text(r.get(v, "pathname"))
	}
	fields := r.serverFields()
	r.require(v, "a server", "protocol")
	fields = append(fields, r.addressField(v))
	r.known(v, "a server", fields...)
	s.Variables = r.variables(r.get(v, "variables"))
	s.Tags = r.tags(r.get(v, "tags"))
	r.serverBindings(s, r.get(v, "bindings"))
	s.Security = r.security(r.get(v, "security"))
}

func (r *reader) serverFields() []string {
	names := []string{"protocol", "protocolVersion", "description", "variables", "security", "bindings"}
	if r.major == 2 {
		names = append(names, "url")
	} else {
		names = append(names, "host", "pathname", "title", "summary", "externalDocs")
	}
	if r.since(5) {
		names = append(names, "tags")
	}
	return names
}

// addressField reports a server without address. One written in the style of the other major version is one fault; the
// answer is the name of that field, which is then dealt with.
func (r *reader) addressField(v value) string {
	own, other := "host", "url"
	if r.major == 2 {
		own, other = other, own
	}
	if r.get(v, own).there() || !r.get(v, other).there() {
		r.require(v, "a server", own)
		return own
	}
	for _, f := range r.fields(v) {
		if f.key == other {
			r.fault("document/unknown-field", f.keyAt, "write "+own+" instead, or change the version in asyncapi",
				"AsyncAPI %d has no field %q for a server's address", r.major, other)
		}
	}
	return other
}

// require reports fields that have to be there.
func (r *reader) require(v value, what string, names ...string) {
	for _, name := range names {
		if !r.get(v, name).there() && !r.misspelt(v, name) {
			r.fault("document/missing-field", v.at, "", "%s needs the field %s", what, name)
		}
	}
}

func (r *reader) variables(v value) []Variable {
	v, ok := r.object(v, "variables")
	if !ok {
		return nil
	}
	var list []Variable
	for _, f := range r.fields(v) {
		one, ok := r.object(f.value, "a server variable")
		if !ok {
			continue
		}
		r.known(one, "a server variable", "enum", "default", "description", "examples")
		list = append(list, Variable{
			Place: one.at, Name: f.key, Enum: r.texts(r.get(one, "enum")), Default: r.text(r.get(one, "default")),
		})
	}
	return list
}

// componentServers reads the servers under components.
func (r *reader) componentServers(v value) []Server {
	all, ok := r.object(v, "servers")
	if !ok {
		return nil
	}
	var list []Server
	for _, f := range r.fields(all) {
		if !extension(f.key) {
			s := Server{Place: f.keyAt, Name: f.key}
			r.readServer(&s, f.value)
			list = append(list, s)
		}
	}
	return list
}

// object resolves a field that has to be an object. It answers false where there is none, and says why if something
// else is in its place.
func (r *reader) object(v value, what string) (value, bool) {
	if !v.there() {
		return v, false
	}
	v, ok := r.resolve(v)
	if !ok {
		return v, false
	}
	if !v.isObject() {
		if !knownTags[v.node.Tag] {
			r.faults++ // the tag has been reported
			return v, false
		}
		r.fault("document/wrong-type", v.at, emptyHint(v), "%s has to be an object, not %s", what, v.kind())
		return v, false
	}
	return v, true
}

// emptyHint is what to do about a value that is not there: most often its lines are not indented.
func emptyHint(v value) string {
	if !v.isNull() {
		return ""
	}
	return "indent what belongs to it by two spaces more, or write {}"
}
