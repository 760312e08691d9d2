#!/usr/bin/env bash
# Puts the clients that tests need into .cache of the project, or $ASYNCGATE_CACHE, in pinned versions: a Python
# environment, kafkajs, and the compiled Java driver. What is there in these versions already is left alone.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${ASYNCGATE_CACHE:-$here/../../.cache}
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)

# once FILE DIR COMMAND…: runs the command unless it made DIR from this very FILE before.
once() {
  local file=$1 dir=$2
  shift 2
  ! cmp -s "$file" "$dir/made-from" || return 0
  rm -rf "$dir"
  "$@"
  cp "$file" "$dir/made-from"
}

python() {
  python3 -m venv "$cache/venv"
  "$cache/venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/python/requirements.txt"
}

node() {
  mkdir -p "$cache/node"
  cp "$here/node/package.json" "$here/node/package-lock.json" "$cache/node"
  npm ci --prefix "$cache/node" --silent --no-audit --no-fund --ignore-scripts
}

java() {
  mkdir -p "$cache/java"
  javac -nowarn -cp "$("$here/../kafka/jars.sh" 4.3.1)/*" -d "$cache/java" "$here/java/Client.java"
}

once "$here/python/requirements.txt" "$cache/venv" python
once "$here/node/package-lock.json" "$cache/node" node
once "$here/java/Client.java" "$cache/java" java
