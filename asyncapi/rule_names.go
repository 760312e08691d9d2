package asyncapi

import (
	"fmt"
	"strings"
)

// componentKeys looks at the names of components: "All the fixed fields declared above are objects that MUST use keys that
// match the regular expression: ^[a-zA-Z0-9\.\-_]+$" (Components Object). A key is an error if a reference with it would lead
// elsewhere. Others are a warning: FastStream writes keys such as "orders:Handle:Message", and they do no harm.
func (j *judge) componentKeys(components value) {
	j.each(components, func(kind field, all value) {
		if kind.key == "securitySchemes" {
			return // the reader judges them
		}
		for _, f := range j.fields(all) {
			if componentKey.MatchString(f.key) || extension(f.key) {
				continue
			}
			severity := Warning
			if f.key == "" || strings.ContainsAny(f.key, misleading) {
				severity = Error
			}
			j.note(severity, "document/component-key", f.keyAt, "use letters, digits, . - and _",
				fmt.Sprintf("%s is no name for a component", quote(f.key)))
		}
	})
}

// misleading are characters that mean something else in a reference: they end it, or begin an escape.
const misleading = "#%\t\r\n"

// tagLists looks for tags of one name in one list: "Each tag name in the list MUST be unique" (2.x). In 3.x that is no longer
// said, and still a slip.
func (j *judge) tagLists() {
	seen := map[Place]bool{}
	check := func(v value) {
		if seen[v.at] {
			return
		}
		seen[v.at] = true
		j.tagList(j.member(v, "tags").value)
	}
	check(j.root)
	check(j.part(j.root, "info"))
	components := j.part(j.root, "components")
	for _, kind := range []string{"servers", "operationTraits", "messageTraits", "messages", "channels", "operations"} {
		j.each(j.part(components, kind), func(_ field, v value) { check(v) })
	}
	for _, kind := range []string{"servers", "channels", "operations"} {
		j.each(j.part(j.root, kind), func(_ field, v value) {
			check(v)
			j.each(j.part(v, "messages"), func(_ field, message value) { check(message) })
			for _, trait := range j.list(j.member(v, "traits").value) {
				check(trait)
			}
		})
	}
	j.eachOperation(j.part(j.root, "channels"), func(operation value) {
		check(operation)
		for _, trait := range j.list(j.member(operation, "traits").value) {
			check(trait)
		}
		j.eachMessage(operation, func(message value) {
			check(message)
			for _, trait := range j.list(j.member(message, "traits").value) {
				check(trait)
			}
		})
	})
}

func (j *judge) tagList(tags value) {
	severity := Error
	if j.major > 2 {
		severity = Warning
	}
	first := map[string]Place{}
	for _, tag := range j.list(tags) {
		name, ok := j.str(tag, "name")
		if !ok {
			continue
		}
		if before, twice := first[name.Value]; twice && before != name.Place {
			j.note(severity, "document/duplicate-tag", name.Place, "remove one of the two",
				fmt.Sprintf("tag %s stands in this list twice, first %s", quote(name.Value), j.line(name.Place, before)))
			continue
		}
		first[name.Value] = name.Place
	}
}
