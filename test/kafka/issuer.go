package kafkatest

import "strings"

// moreProperties is after a cluster's directory, which up.sh empties, in the name of the file of what its brokers have
// beyond examples/kafka.
const moreProperties = ".properties"

// Issuer is whose tokens the brokers of a cluster take on the Bearer listener. They fetch its keys by themselves.
type Issuer struct {
	Name     string // the claim iss
	Audience string
	JWKS     string // URL of its keys; only this one may be asked
}

// properties describe the Bearer listener to a broker.
func (i *Issuer) properties() string {
	const listener = "listener.name.bearer."
	return strings.Join([]string{"",
		"listener.security.protocol.map=PLAIN:PLAINTEXT,SASL:SASL_PLAINTEXT,SASLS:SASL_SSL,MTLS:SSL,OPTTLS:SASL_SSL," +
			"REAUTH:SASL_PLAINTEXT,FWD:PLAINTEXT,BEARER:SASL_PLAINTEXT,CTL:SSL",
		listener + "sasl.enabled.mechanisms=OAUTHBEARER",
		listener + "oauthbearer.sasl.server.callback.handler.class=org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler",
		listener + "oauthbearer.sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;",
		listener + "sasl.oauthbearer.jwks.endpoint.url=" + i.JWKS,
		listener + "sasl.oauthbearer.expected.audience=" + i.Audience,
		listener + "sasl.oauthbearer.expected.issuer=" + i.Name,
		""}, "\n")
}

// environment is what up.sh has to know of the listener.
func (i *Issuer) environment(properties string) []string {
	return []string{"KAFKA_MORE_LISTENERS=" + string(Bearer), "KAFKA_MORE_PROPERTIES=" + properties,
		"KAFKA_JVM_FLAGS=-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=" + i.JWKS}
}
