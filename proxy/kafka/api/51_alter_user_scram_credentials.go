package api

// AlterUserScramCredentials: a result for each user, of both lists. (A broker answers once for a user that is named
// twice, which is an error of its own.)
func init() {
	special[51] = form{
		gather: map[string]func(item, func(item)){"Results": func(top item, do func(item)) {
			top.each("Deletions", do)
			top.each("Upsertions", do)
		}},
		fields: pairs{"Results.User": "Name"},
	}
}
