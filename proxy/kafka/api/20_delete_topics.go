package api

import "github.com/asyncgate/asyncgate/policy"

// DeleteTopics: a list of names up to v5, names or ids from v6 on (KIP-516).
func init() {
	special[20] = form{
		items:  pairs{"Responses": "Topics"},
		fields: pairs{"Responses.Name": "TopicNames"},
		deny:   codeTopicAuthorizationFailed,
		adapt: func(f *form, version int16, _ item) {
			if version < 6 {
				f.items = pairs{"Responses": "TopicNames"}
			} else {
				f.fields = nil
			}
		},
	}
}

// deleteTopics asks about the list that the version has.
func deleteTopics(q *asking) (Verdict, error) {
	if q.h.Version < 6 {
		q.items, q.each = "TopicNames", topicTo(policy.Delete, "TopicNames")
	}
	return q.split()
}
