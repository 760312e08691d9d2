#!/bin/sh
# Formats the storage of one Kafka node, with its SCRAM users, and becomes the broker.
#
# broker.properties beside this script takes what differs from node to node from the environment. These have no default:
#   KAFKA_NODE_ID KAFKA_VOTERS KAFKA_LISTENERS KAFKA_ADVERTISED_LISTENERS KAFKA_DATA KAFKA_CERTIFICATES
# and these say where Kafka's jars are and how much memory the broker gets:
#   KAFKA_LIBS (default: the official image's) KAFKA_HEAP (512m) KAFKA_JVM_FLAGS
# KAFKA_MORE_PROPERTIES names a file of further properties; later ones count.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

export KAFKA_INTER_BROKER="${KAFKA_INTER_BROKER:-MTLS}"
export KAFKA_SUPER_USERS="${KAFKA_SUPER_USERS:-User:broker;User:admin;User:gateway}"
export KAFKA_OPEN="${KAFKA_OPEN:-false}"
export KAFKA_REPLICAS="${KAFKA_REPLICAS:-1}"
export KAFKA_PARTITIONS="${KAFKA_PARTITIONS:-1}"
export KAFKA_REAUTH_MS="${KAFKA_REAUTH_MS:-3000}"
export KAFKA_FAILURE_DELAY_MS="${KAFKA_FAILURE_DELAY_MS:-100}"

# Any 16 bytes in URL-safe base64, the same on every node.
cluster=${KAFKA_CLUSTER_ID:-asyncgateExampleClustrA}
libs=${KAFKA_LIBS:-/opt/kafka/libs}
heap=${KAFKA_HEAP:-512m}
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
logging="-Dlog4j2.configurationFile=$here/log4j2.xml"

properties=$here/broker.properties
if [ -n "${KAFKA_MORE_PROPERTIES:-}" ]; then
  properties=$KAFKA_DATA.properties
  cat "$here/broker.properties" "$KAFKA_MORE_PROPERTIES" > "$properties"
fi

# format prints the stored keys of the users, so nobody gets to see it unless it fails. A node that comes back has no need
# of it.
set --
for user in admin gateway alice bob; do
  for mechanism in SCRAM-SHA-256 SCRAM-SHA-512; do
    set -- "$@" --add-scram "$mechanism=[name=$user,password=$user-secret]"
  done
done
if [ ! -e "$KAFKA_DATA/meta.properties" ] && ! said=$("$java" -Xmx128m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC "$logging" -cp "$libs/*" \
  kafka.tools.StorageTool format --ignore-formatted -t "$cluster" -c "$properties" "$@" 2>&1); then
  echo "$said" >&2
  exit 1
fi

# shellcheck disable=SC2086 # KAFKA_JVM_FLAGS is several words
exec "$java" "-Xms$heap" "-Xmx$heap" ${KAFKA_JVM_FLAGS:--XX:+UseG1GC -XX:MaxGCPauseMillis=20} "$logging" \
  -Djava.net.preferIPv4Stack=true "-Djava.security.auth.login.config=$here/jaas.conf" -cp "$libs/*" kafka.Kafka "$properties"
