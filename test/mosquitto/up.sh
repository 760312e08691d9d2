#!/usr/bin/env bash
# up.sh [DIR]: runs Eclipse Mosquitto on loopback, in the foreground, with examples/mosquitto/mosquitto.conf. Ctrl-C, or a
# signal, ends it.
#
#   up.sh [DIR]        DIR: data and certificates, kept from run to run. Default: .cache/mosquitto
#
# The environment says the rest:
#   MOSQUITTO_PORTS         where the listeners of the file are, in its order: PASSWORD TLS MTLS WS WSS OPEN. Default: the
#                           file's own ports
#   MOSQUITTO_CERTIFICATES  a directory made by examples/kafka/certificates.sh. Default: one is made in DIR
#   MOSQUITTO_SETTINGS      more lines for the global part of the file, such as "max_inflight_messages 1"
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
dir=${1:-$root/.cache/mosquitto}
mkdir -p "$dir/data"
cd "$dir"
[ -n "${MOSQUITTO_CERTIFICATES:-}" ] || "$root/examples/kafka/certificates.sh" "$PWD/certificates"
certificates=${MOSQUITTO_CERTIFICATES:-$PWD/certificates}
cp "$root/examples/mosquitto/mosquitto.passwords" .
chmod 0600 mosquitto.passwords

read -ra ports <<< "${MOSQUITTO_PORTS:-1883 8883 8884 8080 8081 1880}"
{
  # It gives root up for a user of its own, who could not read the keys and write the data here.
  echo "user $(id -un)"
  [ -z "${MOSQUITTO_SETTINGS:-}" ] || echo "$MOSQUITTO_SETTINGS"
  listener=0
  while IFS= read -r line; do
    case $line in
      'listener '*) line="listener ${ports[listener++]} 127.0.0.1" ;;
      'persistence_location '*) line="persistence_location $PWD/data/" ;;
    esac
    echo "${line//certificates\//"$certificates/"}"
  done < "$root/examples/mosquitto/mosquitto.conf"
} > mosquitto.conf

program=$(command -v mosquitto || echo /usr/sbin/mosquitto) # Debian's place, which not everybody's PATH has
exec "$program" -c mosquitto.conf
