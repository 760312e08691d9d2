#!/bin/sh
# certificates.sh DIR [NAME…]: throwaway certificates for examples and tests, good for 30 days, ECDSA P-256.
#
#   ca        the authority            broker   of every broker, to clients and to the others   gateway-server
#   other-ca  one nobody here trusts   gateway  the gateway's own identity towards brokers      to clients
#   keycloak  of the issuer of tokens           and issuers
#   alice bob admin  clients           mallory  a client called alice, by the other authority
#
# Each is NAME.crt and NAME.key; the leaves also NAME.pem, key and certificate in one file, as Kafka wants it.
# Further NAMEs are host names that the certificates of servers shall cover besides localhost.
# Needs OpenSSL 3. An existing DIR is left as it is.
set -eu
umask 077
dir=$1
shift
[ ! -e "$dir/ca.crt" ] || exit 0
mkdir -p "$dir"
cd "$dir"

names="DNS:localhost,IP:127.0.0.1"
for name in "$@"; do names="$names,DNS:$name"; done

# Of its own, since the system's would add extensions to every certificate.
printf '[req]\ndistinguished_name = dn\n[dn]\n' > openssl.cnf

certificate() { # NAME SUBJECT ARGUMENTS…
  name=$1 subject=$2
  shift 2
  openssl req -config openssl.cnf -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 30 \
    -keyout "$name.key" -out "$name.crt" -subj "$subject" "$@" 2> openssl.log || { cat openssl.log >&2; exit 1; }
}

authority() { # NAME
  certificate "$1" "/CN=asyncgate example $1" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign \
    -addext subjectKeyIdentifier=hash
}

leaf() { # NAME COMMON-NAME AUTHORITY USAGE [SUBJECT-ALTERNATIVE-NAMES]
  # The common name last: Java prints a name backwards, and Kafka's mapping rules look for CN= in front.
  certificate "$1" "/O=asyncgate example/CN=$2" -CA "$3.crt" -CAkey "$3.key" \
    -addext basicConstraints=critical,CA:FALSE -addext keyUsage=critical,digitalSignature \
    -addext "extendedKeyUsage=$4" -addext authorityKeyIdentifier=keyid ${5:+-addext "subjectAltName=$5"}
  cat "$1.key" "$1.crt" > "$1.pem"
}

authority ca
authority other-ca
leaf broker broker ca serverAuth,clientAuth "$names"
leaf gateway-server gateway ca serverAuth "$names"
leaf keycloak keycloak ca serverAuth "$names"
leaf gateway gateway ca clientAuth
leaf alice alice ca clientAuth
leaf bob bob ca clientAuth
leaf admin admin ca clientAuth
leaf mallory alice other-ca clientAuth
rm -f openssl.cnf openssl.log
