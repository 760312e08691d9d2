package asyncapi

import "strings"

// security reads a security list. What is there but cannot be read is a broken requirement, never nothing.
func (r *reader) security(v value) *Security {
	if !v.there() {
		return nil
	}
	s := &Security{Place: v.at}
	if !v.isList() {
		r.fault("document/wrong-type", v.at, r.requirementHint("NAME"), "security has to be a list, not %s", v.kind())
		s.Requirements = []Requirement{{Place: v.at, Broken: true}}
		return s
	}
	for _, item := range r.items(v) {
		if r.major == 2 {
			s.Requirements = append(s.Requirements, r.namedRequirement(item))
		} else {
			s.Requirements = append(s.Requirements, r.schemeRequirement(item))
		}
	}
	return s
}

// requirementHint shows how an item of a security list is written in the document's version.
func (r *reader) requirementHint(name string) string {
	if r.major == 2 {
		return "write - " + name + ": []"
	}
	return "write - $ref: '#" + member(schemesPointer, name) + "'"
}

// namedRequirement reads a 2.x item: scheme names, each with its scopes. Several names are all needed.
func (r *reader) namedRequirement(item value) Requirement {
	q := Requirement{Place: item.at}
	if !item.isObject() {
		name := "NAME"
		if item.isString() {
			name = item.node.Value
		}
		r.fault("document/wrong-type", item.at, r.requirementHint(name), "a security requirement has to be an object, not %s", item.kind())
		q.Broken = true
		return q
	}
	for _, f := range r.fields(item) {
		use, ok := r.namedScheme(f)
		q.Broken = q.Broken || !ok
		if ok {
			q.Schemes = append(q.Schemes, use)
		}
	}
	return q
}

func (r *reader) namedScheme(f field) (SchemeUse, bool) {
	use := SchemeUse{Place: f.keyAt}
	if !f.isList() && (f.key == "$ref" || f.key == "type") {
		r.fault("document/requirement-style", f.keyAt, r.requirementHint("NAME"),
			"a security requirement names schemes of components/securitySchemes; %s is how 3.x writes it", quote(f.key))
		return use, false
	}
	schemes, _ := r.object(r.get(r.get(r.root, "components"), "securitySchemes"), "securitySchemes")
	declared := r.get(schemes, f.key)
	if !declared.there() {
		r.fault("document/undefined-scheme", f.keyAt, r.choices(schemes, f.key), "there is no security scheme %s in components/securitySchemes", quote(f.key))
		return use, false
	}
	scheme, ok := r.scheme(declared)
	if !f.isList() {
		r.fault("document/wrong-type", f.at, r.requirementHint(f.key), "the scopes of %s have to be a list, not %s", quote(f.key), f.kind())
		return use, false
	}
	use.Scheme, use.Scopes = scheme, r.texts(f.value)
	if ok && len(f.node.Content) > 0 && !scoped[scheme.Type.Value] {
		r.fault("document/scopes", f.keyAt, r.requirementHint(f.key), "a scheme of type %s has no scopes", scheme.Type.Value)
		return use, false
	}
	return use, ok && len(use.Scopes) == len(f.node.Content)
}

// scoped are the scheme types that have scopes.
var scoped = map[string]bool{"oauth2": true, "openIdConnect": true}

// schemeRequirement reads a 3.x item: a scheme, inline or by reference.
func (r *reader) schemeRequirement(item value) Requirement {
	q := Requirement{Place: item.at}
	if names := r.namesOnly(item); names != "" {
		r.fault("document/requirement-style", item.at, r.requirementHint(names),
			"this is how 2.x writes a security requirement; in 3.x it would say nothing")
		q.Broken = true
		return q
	}
	if !item.isObject() {
		r.fault("document/wrong-type", item.at, r.requirementHint("NAME"), "a security requirement has to be an object, not %s", item.kind())
		q.Broken = true
		return q
	}
	scheme, ok := r.scheme(item)
	q.Broken = !ok
	if ok {
		q.Schemes = []SchemeUse{{Place: item.at, Scheme: scheme, Scopes: scheme.Scopes}}
	}
	return q
}

// namesOnly is the first name of an item in the style of 2.x, empty for any other.
func (r *reader) namesOnly(item value) string {
	if item.isString() {
		return item.node.Value
	}
	fields := r.fields(item)
	for _, f := range fields {
		if nearestKey(f.key, []string{"type", "$ref"}) != "" && !f.isList() {
			return ""
		}
	}
	for _, f := range fields {
		if f.isList() || f.node.Tag == "!!null" {
			return f.key
		}
	}
	return ""
}

const schemesPointer = "/components/securitySchemes"

// componentSchemes reads the schemes under components.
func (r *reader) componentSchemes() []SecurityScheme {
	components, ok := r.object(r.get(r.root, "components"), "components")
	if !ok {
		return nil
	}
	all, ok := r.object(r.get(components, "securitySchemes"), "securitySchemes")
	if !ok {
		return nil
	}
	var list []SecurityScheme
	for _, f := range r.fields(all) {
		if !componentKey.MatchString(f.key) {
			r.fault("document/invalid-value", f.keyAt, "use letters, digits, . - and _", "%s is no name for a component", quote(f.key))
		}
		if scheme, ok := r.scheme(f.value); ok {
			list = append(list, *scheme)
		}
	}
	return list
}

// schemeKey is the name of a scheme that stands under components.
func schemeKey(pointer string) string {
	key, ok := strings.CutPrefix(pointer, schemesPointer+"/")
	if !ok || strings.Contains(key, "/") {
		return ""
	}
	return unescapePointer.Replace(key)
}
