#!/bin/sh
# setup.sh DIR [NAME…]: what the gateways need to run the examples, in one directory: the Kafka document, its settings,
# credentials and certificates; in DIR/mqtt those of MQTT, in DIR/tokens those of tokens; and Mosquitto's configuration.
# NAMEs are the host names of the brokers and of Keycloak, if they are not on localhost.
#
# Everything is readable for everybody, since the containers of docker-compose.yml run as different users, and the
# passwords can be read in this repository anyway. Do neither with a cluster that matters.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
dir=$1
shift
mkdir -p "$dir/mqtt" "$dir/tokens"
"$here/kafka/certificates.sh" "$dir/certificates" "$@"
cp "$here/streetlights/"*.yml "$here/streetlights/"*.yaml "$here/streetlights/client.properties" "$dir"
cp "$here/streetlights-mqtt/"*.yml "$here/streetlights-mqtt/"*.yaml "$dir/mqtt"
cp "$here/tokens/"*.yml "$here/tokens/"*.yaml "$dir/tokens"
cp "$here/mosquitto/mosquitto.conf" "$here/mosquitto/mosquitto.passwords" "$dir"
printf 'gateway-secret' > "$dir/gateway.password"
chmod -R a+rX "$dir"
chmod 0600 "$dir/credentials.yaml" "$dir/mqtt/credentials.yaml" "$dir/gateway.password"
# The gateway's user in its image; asyncgate wants these for itself.
[ "$(id -u)" != 0 ] || chown 65532:65532 "$dir/credentials.yaml" "$dir/mqtt/credentials.yaml" "$dir/gateway.password"
