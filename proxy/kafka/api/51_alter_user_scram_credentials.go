package api

// AlterUserScramCredentials: one result for each user, however often the request names it.
func init() {
	special[51] = form{
		gather: map[string]func(item) []item{"Results": func(top item) (users []item) {
			seen := map[string]bool{}
			for _, list := range []string{"Deletions", "Upsertions"} {
				top.each(list, func(user item) {
					l := user.field("Name")
					if name := string(user.body[l.from:l.to]); !seen[name] {
						seen[name] = true
						users = append(users, user)
					}
				})
			}
			return users
		}},
		fields: pairs{"Results.User": "Name"},
	}
}
