#!/bin/sh
# client.sh NAME TOOL ARGUMENTS…: one of Kafka's command line tools, which fetches tokens of its own as a client of Keycloak's
# realm: lamp or reader. For the token-client service of docker-compose.tokens.yml.
#
# Without containers these say what is elsewhere: DEPLOYMENT, the directory that setup.sh made, ISSUER, the realm's address,
# GATEWAY, where the gateway is, and KAFKA_BIN, the directory with the tools.
set -eu
client=$1
tool=$2
shift 2
deployment=${DEPLOYMENT:-/deployment}
endpoint=${ISSUER:-https://keycloak:8443/realms/lights}/protocol/openid-connect/token
properties=$(mktemp)
trap 'rm -f "$properties"' EXIT
cat > "$properties" << END
security.protocol=SASL_SSL
ssl.truststore.type=PEM
ssl.truststore.location=$deployment/certificates/ca.crt
sasl.mechanism=OAUTHBEARER
sasl.login.callback.handler.class=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler
sasl.oauthbearer.token.endpoint.url=$endpoint
sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required clientId="$client" clientSecret="$client-secret" ssl.truststore.type="PEM" ssl.truststore.location="$deployment/certificates/ca.crt";
END
export KAFKA_OPTS="-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=$endpoint"
"${KAFKA_BIN:-/opt/kafka/bin}/$tool" --bootstrap-server "${GATEWAY:-localhost:38092}" --command-config "$properties" "$@"
