#!/usr/bin/env bash
# One node of a cluster that up.sh made in DIR.
#
#   node.sh start DIR N    in the background, with its ports and data of before
#   node.sh wait  DIR N    until it is ready; fails if it ends first, or after a minute
#   node.sh stop  DIR N    orderly: its partitions move to other nodes
#   node.sh kill  DIR N    at once, as a power failure would
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
order=$1 node=$2/$3

alive() { kill -0 "$(cat "$node/pid")" 2> /dev/null; }

# gone waits for the process to end, for so many tenths of a second.
gone() {
  local i
  for ((i = 0; i < $1; i++)); do
    alive || return 0
    sleep 0.1
  done
  return 1
}

case $order in
  start)
    # shellcheck source=/dev/null
    . "$node/environment"
    "$here/../../examples/kafka/start.sh" > "$node/log" 2>&1 < /dev/null &
    echo $! > "$node/pid"
    ;;
  wait)
    for ((i = 0; i < 600; i++)); do
      # The listeners accept a moment before this line; a connection alone would be too early.
      ! grep -q 'Kafka Server started' "$node/log" || exit 0
      alive || { echo "Kafka node $3 ended" >&2; exit 1; }
      sleep 0.1
    done
    echo "Kafka node $3 is not ready after 60 s" >&2
    exit 1
    ;;
  stop)
    ! alive || kill "$(cat "$node/pid")"
    gone 150 || "$0" kill "$2" "$3"
    ;;
  kill)
    ! alive || kill -9 "$(cat "$node/pid")"
    gone 50
    ;;
  *)
    echo "node.sh: unknown order $order" >&2
    exit 2
    ;;
esac
