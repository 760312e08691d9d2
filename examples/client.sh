#!/bin/sh
# client.sh TOOL ARGUMENTS…: one of Kafka's command line tools, logged in to the gateway as alice. For the client
# service of docker-compose.yml; the paths in client.properties are relative to the directory that setup.sh made.
set -eu
tool=$1
shift
cd /deployment
exec "/opt/kafka/bin/$tool" --bootstrap-server localhost:18092 --command-config client.properties "$@"
