package tokens

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/asyncgate/asyncgate/sasl"
)

// claims are what an issuer says of a token: the payload of a JWT, or the answer of an introspection.
type claims map[string]any

// parseClaims reads claims whose origin has been verified.
func parseClaims(raw []byte) (claims, error) {
	if err := shallow(raw); err != nil {
		return nil, err
	}
	var c claims
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&c); err != nil || c == nil {
		return nil, errors.New("no JSON object")
	}
	if decoder.More() {
		return nil, errors.New("more than one JSON object")
	}
	return c, nil
}

// get finds a claim: one of exactly that name (names of claims may be addresses, with dots in them), else along the dots.
func (c claims) get(path string) any {
	if v, ok := c[path]; ok {
		return v
	}
	var v any = map[string]any(c)
	for part := range strings.SplitSeq(path, ".") {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = object[part]
	}
	return v
}

func (c claims) text(name string) string {
	s, _ := c.get(name).(string)
	return s
}

// list is a claim that is a string or a list of strings.
func list(v any) []string {
	switch x := v.(type) {
	case string:
		return []string{x}
	case []any:
		var all []string
		for _, one := range x {
			if s, ok := one.(string); ok {
				all = append(all, s)
			}
		}
		return all
	}
	return nil
}

// moment is a NumericDate (RFC 7519 section 2): seconds, possibly with a fraction. It is not there, or a time of which a
// clock can say something.
func (c claims) moment(name string) (t time.Time, ok bool) {
	v, there := c[name]
	if !there {
		return time.Time{}, true
	}
	number, isNumber := v.(json.Number)
	if !isNumber {
		return time.Time{}, false
	}
	seconds, err := number.Float64()
	if err != nil || math.IsNaN(seconds) || seconds < 0 || seconds > 1<<40 { // the year 36812
		return time.Time{}, false
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*1e9)), true
}

// judge holds claims against the settings of their issuer. Only a JWT has to say whose it is and when it ends: an issuer
// that was asked itself has said so by its answer.
func (i *issuer) judge(c claims, now time.Time, jwt bool) (*sasl.Principal, *sasl.Reject) {
	if iss := c.text("iss"); iss != i.Name && (jwt || c["iss"] != nil) {
		return nil, reject(sasl.CodeUnknownIssuer, "a token of issuer %s, not of %s", quote(iss), quote(i.Name))
	}
	name, r := i.principal(c)
	if r != nil {
		return nil, r
	}
	audiences := list(c.get(i.Audience))
	if !slices.ContainsFunc(audiences, func(a string) bool { return slices.Contains(i.Audiences, a) }) {
		return nil, named(reject(sasl.CodeTokenAudience, "the token of %s is for %s, not for %s", quote(name),
			quote(strings.Join(audiences, " ")), quote(strings.Join(i.Audiences, " "))), name)
	}
	expires, r := i.times(c, name, now, jwt)
	if r != nil {
		return nil, named(r, name)
	}
	if r := i.required(c, name); r != nil {
		return nil, named(r, name)
	}
	p := &sasl.Principal{
		Name: name, Kind: sasl.KindToken, Scopes: i.scopes(c), Expires: endOf(expires, now, i.Skew), Issuer: i.Name,
		Attributes: map[string]string{"issuer": i.Name},
	}
	for attribute, names := range map[string][]string{"subject": {"sub"}, "clientId": {"client_id", "azp", "appid", "cid"}} {
		for _, claim := range names {
			if v := c.text(claim); v != "" && p.Attributes[attribute] == "" {
				p.Attributes[attribute] = v
			}
		}
	}
	return p, nil
}

// maxName bounds a principal's name, in characters: as a SCRAM user name.
const maxName = 255

// principal is the name that a token gives.
func (i *issuer) principal(c claims) (string, *sasl.Reject) {
	claim := c.text(i.Principal)
	name := i.Prefix + claim
	switch {
	case claim == "":
		return "", reject(sasl.CodeTokenClaim, "no claim %s, which is to name the principal", quote(i.Principal))
	case utf8.RuneCountInString(name) > maxName || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return "", reject(sasl.CodeTokenClaim, "claim %s is no name: %s", quote(i.Principal), quote(claim))
	}
	return name, nil
}

// times holds a token against the clock.
func (i *issuer) times(c claims, name string, now time.Time, jwt bool) (expires time.Time, r *sasl.Reject) {
	expires, ok1 := c.moment("exp")
	notBefore, ok2 := c.moment("nbf")
	issued, ok3 := c.moment("iat")
	switch {
	case !ok1 || !ok2 || !ok3:
		return expires, reject(sasl.CodeTokenClaim, "the token of %s has an exp, nbf or iat that is no time", quote(name))
	case expires.IsZero() && jwt:
		return expires, reject(sasl.CodeTokenClaim, "the token of %s never ends: it has no exp", quote(name))
	case !expires.IsZero() && !now.Before(expires.Add(i.Skew)):
		return expires, reject(sasl.CodeExpired, "the token of %s ended at %s", quote(name), stamp(expires))
	case now.Add(i.Skew).Before(notBefore):
		return expires, reject(sasl.CodeTokenNotYet, "the token of %s is not valid before %s", quote(name), stamp(notBefore))
	case now.Add(i.Skew).Before(issued):
		return expires, reject(sasl.CodeTokenNotYet, "the token of %s was issued at %s, which is still to come", quote(name), stamp(issued))
	}
	return expires, nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// required looks for the claims that the settings want.
func (i *issuer) required(c claims, name string) *sasl.Reject {
	for claim, allowed := range i.Required {
		var values []string
		switch v := c.get(claim).(type) {
		case nil:
		case string, []any:
			values = list(v)
		case bool, json.Number:
			values = []string{fmt.Sprint(v)}
		default: // an object: that it is there is all that can be asked
			values = []string{""}
		}
		has := func(value string) bool { return len(allowed) == 0 || slices.Contains(allowed, value) }
		if !slices.ContainsFunc(values, has) {
			return reject(sasl.CodeTokenClaim, "the token of %s has no claim %s as the settings require it", quote(name), quote(claim))
		}
	}
	return nil
}

// scopes are the united values of the claims with scopes. A string has them separated by spaces (RFC 6749 section 3.3).
func (i *issuer) scopes(c claims) []string {
	var all []string
	for _, claim := range i.Scopes {
		for _, text := range list(c.get(claim)) {
			for scope := range strings.FieldsSeq(text) {
				if !slices.Contains(all, scope) {
					all = append(all, scope)
				}
			}
		}
	}
	return all
}
