#!/bin/sh
# token.sh NAME: a token of a client of Keycloak's realm: lamp, reader or stranger. For the token service of
# docker-compose.tokens.yml, or with DEPLOYMENT and ISSUER as client.sh has them.
set -eu
answer=$(curl --silent --show-error --fail --cacert "${DEPLOYMENT:-/deployment}/certificates/ca.crt" \
  --data grant_type=client_credentials --data "client_id=$1" --data "client_secret=$1-secret" \
  "${ISSUER:-https://keycloak:8443/realms/lights}/protocol/openid-connect/token")
echo "$answer" | sed 's/.*"access_token":"\([^"]*\)".*/\1/'
