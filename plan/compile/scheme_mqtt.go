package compile

// mqttSchemes is the table of schemes for MQTT inside TCP. One login is proved on a connection: user name and password
// in CONNECT, or an exchange of AUTH packets, which only MQTT 5 has.
var mqttSchemes = []meaning{
	{scheme: "scramSha512", mechanisms: []string{scram512}, secret: password, exchange: true},
	{scheme: "scramSha256", mechanisms: []string{scram256}, secret: password, exchange: true},
	{scheme: "plain", mechanisms: []string{plain}, secret: password, exchange: true},
	{scheme: "userPassword", mechanisms: []string{inConnect}, secret: password},
	{scheme: "apiKey", in: "user", mechanisms: []string{inConnect}, secret: keyAsUser},
	{scheme: "apiKey", in: "password", mechanisms: []string{inConnect}, secret: keyAsSecret},
	{scheme: "X509", mechanisms: []string{external}, secret: certificate},
	{scheme: "http", in: "basic", mechanisms: []string{inConnect}, secret: password,
		warning: "MQTT over TCP has no HTTP request, so user name and password are taken from CONNECT"},

	{scheme: "oauth2", mechanisms: []string{bearer, inConnect}, secret: token},
	{scheme: "openIdConnect", mechanisms: []string{bearer, inConnect}, secret: token},
	{scheme: "http", in: "bearer", mechanisms: []string{bearer, inConnect}, secret: token,
		warning: "MQTT over TCP has no HTTP request, so the token is taken as the password in CONNECT, or in AUTH"},
	{scheme: "httpApiKey", refusal: "MQTT has no HTTP header, query or cookie to carry a key"},
	{scheme: "gssapi", refusal: "Kerberos is nothing that MQTT can carry"},
	{scheme: "symmetricEncryption", refusal: "encrypted payloads come with a later version, and prove nobody's identity"},
	{scheme: "asymmetricEncryption", refusal: "encrypted payloads come with a later version, and prove nobody's identity"},
}

// webSocketSchemes are those that mean something else where an HTTP request opens the connection.
var webSocketSchemes = []meaning{
	{scheme: "userPassword", mechanisms: []string{inConnect, inRequest}, secret: password},
	{scheme: "http", in: "basic", mechanisms: []string{inRequest}, secret: password},
	{scheme: "http", in: "bearer", mechanisms: []string{inHeader}, secret: token},
	{scheme: "oauth2", mechanisms: []string{bearer, inConnect, inHeader}, secret: token},
	{scheme: "openIdConnect", mechanisms: []string{bearer, inConnect, inHeader}, secret: token},
	{scheme: "httpApiKey", in: "header", mechanisms: []string{inHTTPKey}, secret: keyInHTTP},
	{scheme: "httpApiKey", in: "cookie", mechanisms: []string{inHTTPKey}, secret: keyInHTTP},
	{scheme: "httpApiKey", in: "query", mechanisms: []string{inHTTPKey}, secret: keyInHTTP,
		warning: "what stands in an address is written to logs on its way; a header is safer"},
}

// schemes are the tables that say what a scheme means on a server, the more special one first.
func (w *work) schemes() [][]meaning {
	switch {
	case w.family == familyKafka:
		return [][]meaning{kafkaSchemes}
	case w.webSocket():
		return [][]meaning{webSocketSchemes, mqttSchemes}
	}
	return [][]meaning{mqttSchemes}
}
