#!/bin/sh
# setup.sh DIR [NAME…]: what the gateway needs to run the example, in one directory: the document, its settings,
# credentials and certificates. NAMEs are the brokers' host names, if they are not on localhost.
#
# Everything is readable for everybody, since the containers of docker-compose.yml run as different users, and the
# passwords can be read in this repository anyway. Do neither with a cluster that matters.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
dir=$1
shift
mkdir -p "$dir"
"$here/kafka/certificates.sh" "$dir/certificates" "$@"
cp "$here/streetlights/"*.yml "$here/streetlights/"*.yaml "$here/streetlights/client.properties" "$dir"
printf 'gateway-secret' > "$dir/gateway.password"
chmod -R a+rX "$dir"
chmod 0600 "$dir/credentials.yaml" "$dir/gateway.password"
# The gateway's user in its image; asyncgate wants these two for itself.
[ "$(id -u)" != 0 ] || chown 65532:65532 "$dir/credentials.yaml" "$dir/gateway.password"
