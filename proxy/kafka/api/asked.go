package api

import "strings"

// Asked is what an API's requests ask of policy where operations are enforced, in the words of the documentation.
func (a API) Asked() string {
	q, ok := asks[a.Key]
	switch {
	case a.Class == Never, a.Key == 17, a.Key == 18, a.Key == 36:
		return "–"
	case !ok:
		return "for admins alone"
	}
	var words []string
	for _, w := range q.whole {
		words = append(words, string(w.action)+" the "+w.kind.String())
	}
	if q.items != "" && q.each.field+string(q.each.action) != "" {
		words = append(words, string(q.each.action)+" each "+q.each.kind.String())
	}
	if q.says != "" {
		words = append(words, q.says)
	}
	return strings.Join(words, "; ")
}
