#!/usr/bin/env bash
# install.sh: fetches HiveMQ Community Edition with Maven (100 MB the first time), compiles Main.java, and prints the
# directory with both: .cache/hivemq of the project, or in $ASYNCGATE_CACHE. What is there of these very files is left
# alone.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${ASYNCGATE_CACHE:-$here/../../.cache}
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
dir=$cache/hivemq

made=$(cat "$here/pom.xml" "$here/Main.java" | cksum)
if [ "$(cat "$dir/made-from" 2> /dev/null)" != "$made" ]; then
  # Several test packages may want it at once.
  if command -v flock > /dev/null; then
    exec 9> "$dir.lock"
    flock 9
  fi
  if [ "$(cat "$dir/made-from" 2> /dev/null)" != "$made" ]; then
    fetched=$(mktemp -d "$dir.XXXXXX")
    trap 'rm -rf "$fetched"' EXIT
    mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies \
      -DincludeScope=runtime "-DoutputDirectory=$fetched/jars" >&2
    javac -nowarn -cp "$fetched/jars/*" -d "$fetched/classes" "$here/Main.java" >&2
    echo "$made" > "$fetched/made-from"
    rm -rf "$dir"
    mv "$fetched" "$dir"
    trap - EXIT
  fi
fi
echo "$dir"
