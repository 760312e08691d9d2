#!/bin/sh
# mqtt-client.sh TOKEN TOOL ARGUMENTS…: mosquitto_pub or mosquitto_sub, logged in to the gateway with a token. For the
# token-mqtt-client service of docker-compose.tokens.yml, or with DEPLOYMENT and GATEWAY_PORT of what is elsewhere.
set -eu
token=$1
tool=$2
shift 2
exec "$tool" -h localhost -p "${GATEWAY_PORT:-38883}" --cafile "${DEPLOYMENT:-/deployment}/certificates/ca.crt" \
  -u token -P "$token" "$@"
