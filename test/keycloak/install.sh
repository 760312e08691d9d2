#!/usr/bin/env bash
# Fetches Keycloak with Maven and unpacks it into the cache, unless it is there. Prints where it is.
set -euo pipefail
version=26.3.5
here=$(cd "$(dirname "$0")" && pwd)
cache=${ASYNCGATE_CACHE:-$here/../../.cache}
mkdir -p "$cache"
home=$cache/keycloak-$version
exec 9> "$home.lock"
flock 9
if [ ! -e "$home/bin/kc.sh" ]; then
  rm -rf "$home.part"
  mkdir -p "$home.part"
  mvn --quiet --batch-mode org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
    -Dartifact="org.keycloak:keycloak-quarkus-dist:$version:tar.gz" -DoutputDirectory="$home.part" >&2
  tar -xzf "$home.part/keycloak-quarkus-dist-$version.tar.gz" -C "$home.part" --strip-components 1
  rm "$home.part/keycloak-quarkus-dist-$version.tar.gz"
  rm -rf "$home"
  mv "$home.part" "$home"
fi
echo "$home"
