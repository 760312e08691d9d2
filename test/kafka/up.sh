#!/usr/bin/env bash
# Starts real Apache Kafka on loopback and returns when it is ready: KRaft, one node or several, with every listener of
# examples/kafka/broker.properties. Prints the cluster as JSON, which is also DIR/cluster.json. down.sh DIR stops it.
#
#   up.sh [DIR]        DIR: data, logs, certificates; emptied first. Default: .cache/kafka
#
# The environment says the rest:
#   KAFKA_NODES           1; each is a JVM of about 220 MB
#   KAFKA_VERSION         4.3.1; 3.9.2 works too
#   KAFKA_PORTS           the first port; a node takes ten. Default: free ones
#   KAFKA_FORWARD_PORTS   where the FWD listener of the first node is advertised, the others follow. Default: itself
#   KAFKA_MORE_LISTENERS  the name of one more listener, which KAFKA_MORE_PROPERTIES describes
#   KAFKA_PARENT          a process id: when that process has ended, the cluster is taken down
#   KAFKA_CERTIFICATES    a directory made by certificates.sh. Default: one is made in DIR
#   KAFKA_HEAP, KAFKA_JVM_FLAGS, KAFKA_REAUTH_MS, KAFKA_FAILURE_DELAY_MS, KAFKA_OPEN, KAFKA_SUPER_USERS,
#   KAFKA_INTER_BROKER, KAFKA_REPLICAS, KAFKA_PARTITIONS, KAFKA_MORE_PROPERTIES: see examples/kafka/start.sh
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
dir=${1:-$root/.cache/kafka}
nodes=${KAFKA_NODES:-1}
version=${KAFKA_VERSION:-4.3.1}
# The place in this list makes the port.
listeners=(PLAIN SASL SASLS MTLS OPTTLS REAUTH FWD ${KAFKA_MORE_LISTENERS:+"$KAFKA_MORE_LISTENERS"} CTL)

KAFKA_LIBS=$("$here/jars.sh" "$version")
[ ! -e "$dir/cluster.json" ] || "$here/down.sh" "$dir"
rm -rf "$dir"
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
export KAFKA_LIBS
export KAFKA_CERTIFICATES="${KAFKA_CERTIFICATES:-$dir/certificates}"
export KAFKA_INTER_BROKER="${KAFKA_INTER_BROKER:-PLAIN}"
export KAFKA_SUPER_USERS="${KAFKA_SUPER_USERS:-User:broker;User:admin;User:gateway;User:ANONYMOUS}"
export KAFKA_REPLICAS="${KAFKA_REPLICAS:-$((nodes < 3 ? nodes : 3))}"
export KAFKA_FAILURE_DELAY_MS="${KAFKA_FAILURE_DELAY_MS:-0}"
# The quickest start; a benchmark sets what runs best.
export KAFKA_JVM_FLAGS="${KAFKA_JVM_FLAGS:--XX:+UseSerialGC -XX:TieredStopAtLevel=1}"
"$root/examples/kafka/certificates.sh" "$KAFKA_CERTIFICATES" test.mykafkacluster.org

# free succeeds if nothing listens on the cluster's ports.
free() {
  local p
  for ((p = first; p < first + nodes * 10; p++)); do
    ! (: < "/dev/tcp/127.0.0.1/$p") 2> /dev/null || return 1
  done
}

# choose sets first. Below 32768, where Linux takes the ports of outgoing connections from.
choose() {
  local tries
  first=${KAFKA_PORTS:-}
  [ -z "$first" ] || return 0
  for ((tries = 0; tries < 100; tries++)); do
    first=$((10000 + RANDOM % 2200 * 10))
    ! free || return 0
  done
  echo "no $((nodes * 10)) free ports in a row" >&2
  return 1
}

# address prints where clients reach a listener of a node, or where the node binds it.
address() { # NODE INDEX-OF-LISTENER bound|advertised
  local port=$((first + ($1 - 1) * 10 + $2))
  if [ "${listeners[$2]}" = FWD ] && [ "$3" = advertised ] && [ -n "${KAFKA_FORWARD_PORTS:-}" ]; then
    port=$((KAFKA_FORWARD_PORTS + $1 - 1))
  fi
  echo "127.0.0.1:$port"
}

# start writes every node's environment beside its data, where node.sh finds it again, and starts the nodes.
start() {
  local n i l bound advertised voters="" controller=$((${#listeners[@]} - 1))
  for ((n = 1; n <= nodes; n++)); do voters+=",$n@$(address "$n" "$controller" bound)"; done
  for ((n = 1; n <= nodes; n++)); do
    bound="" advertised=""
    for i in "${!listeners[@]}"; do
      l=${listeners[i]}
      bound+=",$l://$(address "$n" "$i" bound)"
      [ "$l" = CTL ] || advertised+=",$l://$(address "$n" "$i" advertised)"
    done
    mkdir -p "$dir/$n"
    (
      export KAFKA_NODE_ID=$n KAFKA_DATA=$dir/$n/data
      export KAFKA_VOTERS=${voters#,} KAFKA_LISTENERS=${bound#,} KAFKA_ADVERTISED_LISTENERS=${advertised#,}
      export -p | grep -E '^declare -x (KAFKA_|JAVA_HOME)' > "$dir/$n/environment"
    )
    "$here/node.sh" start "$dir" "$n"
  done
}

# describe prints the cluster as JSON.
describe() {
  local n i
  printf '{\n  "version": "%s",\n  "directory": "%s",\n  "certificates": "%s",\n  "libraries": "%s",\n  "nodes": [' \
    "$version" "$dir" "$KAFKA_CERTIFICATES" "$KAFKA_LIBS"
  for ((n = 1; n <= nodes; n++)); do
    [ "$n" = 1 ] || printf ','
    printf '\n    { "id": %d, "pid": %d, "log": "%s",\n      "listeners": { ' "$n" "$(cat "$dir/$n/pid")" "$dir/$n/log"
    for i in "${!listeners[@]}"; do
      [ "$i" = 0 ] || printf ', '
      printf '"%s": "%s"' "${listeners[i]}" "$(address "$n" "$i" bound)"
    done
    printf ' } }'
  done
  printf '\n  ]\n}\n'
}

stop() {
  local n
  for ((n = 1; n <= nodes; n++)); do "$here/node.sh" kill "$dir" "$n" || true; done
}
trap stop ERR

# In a session of its own where there is setsid: what ends the parent, such as Ctrl-C, often ends its whole group.
if [ -n "${KAFKA_PARENT:-}" ]; then
  # shellcheck disable=SC2016 # its own arguments, expanded there
  $(command -v setsid) bash -c '
    while kill -0 "$1" && [ -d "$2" ]; do sleep 1; done
    [ ! -d "$2" ] || "$3" "$2"
  ' guard "$KAFKA_PARENT" "$dir" "$here/down.sh" > /dev/null 2>&1 < /dev/null &
fi

# Between choosing ports and binding them somebody else may take one: then others are tried.
for ((round = 1; ; round++)); do
  choose
  start
  lost=""
  for ((n = 1; n <= nodes; n++)); do
    "$here/node.sh" wait "$dir" "$n" || { lost=$n; break; }
  done
  [ -n "$lost" ] || break
  if [ -n "${KAFKA_PORTS:-}" ] || [ "$round" = 3 ] || ! grep -q 'Address already in use' "$dir"/*/log; then
    tail -n 40 "$dir/$lost/log" >&2
    false
  fi
  stop
  rm -rf "$dir"/[0-9]*
done
describe | tee "$dir/cluster.json"
