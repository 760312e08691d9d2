#!/usr/bin/env bash
# Puts oidc-provider, as package-lock.json pins it, into the cache with npm, unless it is there. Prints where it is.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${ASYNCGATE_CACHE:-$here/../../.cache}
mkdir -p "$cache"
home=$cache/oidc-provider
exec 9> "$home.lock"
flock 9
if ! cmp -s "$here/package-lock.json" "$home/made-from"; then
  rm -rf "$home"
  mkdir -p "$home"
  cp "$here/package.json" "$here/package-lock.json" "$home"
  npm ci --prefix "$home" --silent --no-audit --no-fund --ignore-scripts >&2
  cp "$here/package-lock.json" "$home/made-from"
fi
echo "$home"
