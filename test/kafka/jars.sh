#!/usr/bin/env bash
# jars.sh VERSION: prints the directory with Apache Kafka's jars, after fetching them with Maven if they are not there.
# 55 MB the first time. The directory is .cache/kafka-VERSION of the project, or in $ASYNCGATE_CACHE.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
version=$1
cache=${ASYNCGATE_CACHE:-$here/../../.cache}
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
jars=$cache/kafka-$version

if [ ! -d "$jars" ]; then
  # Several test packages may want them at once.
  if command -v flock > /dev/null; then
    exec 9> "$jars.lock"
    flock 9
  fi
  if [ ! -d "$jars" ]; then
    fetched=$(mktemp -d "$jars.XXXXXX")
    trap 'rm -rf "$fetched"' EXIT
    mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies "-Dkafka.version=$version" \
      -DincludeScope=runtime "-DoutputDirectory=$fetched/jars" >&2
    # Kafka 3 brings a logging backend of its own; with two of them neither is sure to win.
    rm -f "$fetched"/jars/slf4j-reload4j-*.jar
    mv "$fetched/jars" "$jars"
  fi
fi
echo "$jars"
