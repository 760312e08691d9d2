#!/usr/bin/env bash
# down.sh [DIR]: stops the cluster that up.sh started in DIR and deletes DIR. The data goes too, so nothing is orderly.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=${1:-$here/../../.cache/kafka}
for pid in "$dir"/*/pid; do
  [ ! -e "$pid" ] || "$here/node.sh" kill "$dir" "$(basename "$(dirname "$pid")")"
done
rm -rf "$dir"
