#!/bin/sh
# mqtt-client.sh TOOL ARGUMENTS…: mosquitto_pub or mosquitto_sub, logged in to the gateway with alice's key. For the
# mqtt-client service of docker-compose.yml, or in the directory that setup.sh made.
set -eu
tool=$1
shift
[ ! -d /deployment ] || cd /deployment
exec "$tool" -h localhost -p 8883 --cafile certificates/ca.crt \
  -u agk_EIqlu75GL7NU_9QWFcpm5USqEi2RCWThzrpJtqwtQ3KvSi2oMbOXngbk "$@"
