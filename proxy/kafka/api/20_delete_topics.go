package api

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
