package asyncapi

import "fmt"

// nearField is the field of an object that was probably meant to be one of another name, which is not there.
func (r *reader) nearField(v value, name string) (field, bool) {
	if v.isObject() {
		for _, f := range r.fields(v) {
			if f.key != name && nearestKey(name, []string{f.key}) != "" && !extension(f.key) {
				return f, true
			}
		}
	}
	return field{}, false
}

// misspelt reports whether a field is missing because its name is misspelt. That is the fault then: known says so, or
// Validate.
func (r *reader) misspelt(v value, name string) bool {
	_, ok := r.nearField(v, name)
	if ok {
		r.faults++
	}
	return ok
}

// tellMisspelt is misspelt where nothing else says so.
func (r *reader) tellMisspelt(v value, what, name string) bool {
	f, ok := r.nearField(v, name)
	if ok {
		r.fault("document/unknown-field", f.keyAt, fmt.Sprintf("did you mean %s?", name), "%s has no field %s", what, quote(f.key))
	}
	return ok
}
