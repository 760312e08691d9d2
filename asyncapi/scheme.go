package asyncapi

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/asyncgate/asyncgate/internal/spelling"
)

var componentKey = regexp.MustCompile(`^[a-zA-Z0-9.\-_]+$`)

// schemeForm is what the specification says of a scheme type: the fields it needs and may have, and the values that
// `in` may take. All may have a description.
type schemeForm struct {
	minor    int // of 2.x, that brought it
	needs    []string
	may      []string
	inValues []string
}

var schemeForms = map[string]schemeForm{
	"userPassword":         {},
	"apiKey":               {needs: []string{"in"}, inValues: []string{"user", "password"}},
	"X509":                 {},
	"symmetricEncryption":  {},
	"asymmetricEncryption": {},
	"httpApiKey":           {needs: []string{"name", "in"}, inValues: []string{"query", "header", "cookie"}},
	"http":                 {needs: []string{"scheme"}, may: []string{"bearerFormat"}},
	"oauth2":               {needs: []string{"flows"}},
	"openIdConnect":        {needs: []string{"openIdConnectUrl"}},
	"plain":                {minor: 1},
	"scramSha256":          {minor: 1},
	"scramSha512":          {minor: 1},
	"gssapi":               {minor: 1},
}

// SchemeTypes are the types of security schemes there are, in alphabetical order.
func SchemeTypes() []string {
	var types []string
	for t := range schemeForms {
		types = append(types, t)
	}
	slices.Sort(types)
	return types
}

// scheme reads a security scheme, or the one a reference leads to. It answers false for one that is not valid.
func (r *reader) scheme(v value) (*SecurityScheme, bool) {
	v, ok := r.object(v, "a security scheme")
	if !ok {
		return nil, false
	}
	before := r.faults
	s := r.readScheme(v)
	return s, s != nil && r.faults == before
}

func (r *reader) readScheme(v value) *SecurityScheme {
	s := &SecurityScheme{Place: v.at, Key: schemeKey(v.at.Pointer)}
	if !r.get(v, "type").there() {
		if r.tellMisspelt(v, "a security scheme", "type") || r.tellMisspelt(v, "a security scheme", "$ref") {
			return nil
		}
		r.fault("document/missing-field", v.at, "its type is "+oneOf(SchemeTypes()), "a security scheme needs the field type")
		return nil
	}
	if s.Type = r.text(r.get(v, "type")); !s.Type.Stated() {
		return nil
	}
	form, ok := schemeForms[s.Type.Value]
	if !ok {
		hint := "there is " + oneOf(SchemeTypes())
		if near := spelling.Nearest(s.Type.Value, SchemeTypes()); near != "" {
			hint = fmt.Sprintf("did you mean %s?", near)
		}
		r.fault("document/unknown-scheme-type", s.Type.Place, hint, "there is no security scheme of type %s", quote(s.Type.Value))
		return nil
	}
	if !r.since(form.minor) {
		r.fault("document/unknown-scheme-type", s.Type.Place, fmt.Sprintf("raise asyncapi to 2.%d.0 or later", form.minor),
			"security schemes of type %s came with AsyncAPI 2.%d", s.Type.Value, form.minor)
		return nil
	}
	what := "a security scheme of type " + s.Type.Value
	names := append([]string{"type", "description"}, form.needs...)
	names = append(names, form.may...)
	if r.major >= 3 && scoped[s.Type.Value] {
		names = append(names, "scopes")
		s.Scopes = r.texts(r.get(v, "scopes"))
	}
	r.known(v, what, names...)
	if s.Type.Value == "oauth2" {
		r.requireFlows(v, what)
	} else {
		r.require(v, what, form.needs...)
	}
	r.schemeDetails(s, v, form)
	return s
}

// requireFlows is require for what OAuth 2.0 needs. Generators leave it out.
func (r *reader) requireFlows(v value, what string) {
	if r.get(v, "flows").there() || r.misspelt(v, "flows") {
		return
	}
	scopes := "scopes"
	if r.major >= 3 {
		scopes = "availableScopes"
	}
	r.fault("document/missing-field", v.at, "write flows: { clientCredentials: { tokenUrl: 'https://…', "+scopes+": {} } }",
		"%s needs the field flows", what)
}

// schemeDetails reads the fields that only some types have.
func (r *reader) schemeDetails(s *SecurityScheme, v value, form schemeForm) {
	has := func(name string) value {
		if slices.Contains(form.needs, name) || slices.Contains(form.may, name) {
			return r.get(v, name)
		}
		return value{}
	}
	s.In = r.text(has("in"))
	if s.In.Stated() && !slices.Contains(form.inValues, s.In.Value) {
		r.fault("document/invalid-value", s.In.Place, "write in: "+oneOf(form.inValues), "a key of type %s cannot be in %s",
			s.Type.Value, quote(s.In.Value))
	}
	s.Name = r.text(has("name"))
	s.HTTPScheme = r.text(has("scheme"))
	s.BearerFormat = r.text(has("bearerFormat"))
	s.OpenIDConnectURL = r.text(has("openIdConnectUrl"))
	s.Flows = r.flows(has("flows"))
}

// flowNeeds are the fields that each OAuth 2.0 flow needs, besides its scopes.
var flowNeeds = map[string][]string{
	"implicit":          {"authorizationUrl"},
	"password":          {"tokenUrl"},
	"clientCredentials": {"tokenUrl"},
	"authorizationCode": {"authorizationUrl", "tokenUrl"},
}

func (r *reader) flows(v value) []Flow {
	v, ok := r.object(v, "flows")
	if !ok {
		return nil
	}
	r.known(v, "flows", "implicit", "password", "clientCredentials", "authorizationCode")
	scopes := "scopes"
	if r.major >= 3 {
		scopes = "availableScopes"
	}
	var list []Flow
	for _, f := range r.fields(v) {
		needs, known := flowNeeds[f.key]
		if !known {
			continue
		}
		one, ok := r.object(f.value, "a flow")
		if !ok {
			continue
		}
		r.known(one, "a flow", "authorizationUrl", "tokenUrl", "refreshUrl", scopes)
		r.require(one, "the flow "+f.key, append([]string{scopes}, needs...)...)
		flow := Flow{
			Place: one.at, Name: f.key, AuthorizationURL: r.text(r.get(one, "authorizationUrl")),
			TokenURL: r.text(r.get(one, "tokenUrl")), RefreshURL: r.text(r.get(one, "refreshUrl")),
		}
		if names, ok := r.object(r.get(one, scopes), scopes); ok {
			for _, name := range r.fields(names) {
				flow.Scopes = append(flow.Scopes, Text{Place: name.keyAt, Value: name.key})
			}
		}
		list = append(list, flow)
	}
	return list
}
