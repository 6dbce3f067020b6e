#!/bin/sh
#
# kept-certificate.sh pack|keep|give NAME: certificate of a pool's server, of which the balancer keeps a copy: a server that is made
# anew gets it back, since an authority issues few for the same name. The program sends this (steps/keptCertificate.ts), and hands
# what one host prints to the other's standard input: the key is in it.
#
# pack: on the server, prints it; nothing where it is the operator's own. keep: on the balancer, keeps its standard input, for root
# alone. give: on the balancer, prints what it keeps for the name, if that is valid for 30 days more.
#
# The form: a line with the certificate and its chain, and one with certbot's own files (tar); both in base64.
set -eu
umask 077
verb=$1 name=$2
letsencrypt=${BBB_DEPLOY_ROOT:-}/etc/letsencrypt
kept=${BBB_DEPLOY_STATE:-${BBB_DEPLOY_ROOT:-}/var/lib/bbb-deploy}/balancer/certificates/$name

case $verb in
  pack)
    if [ ! -e "$letsencrypt/renewal/$name.conf" ]; then exit 0; fi
    base64 -w 0 <"$letsencrypt/live/$name/fullchain.pem"
    echo
    tar -C "$letsencrypt" -czf - "live/$name" "archive/$name" "renewal/$name.conf" accounts | base64 -w 0
    echo
    ;;
  keep)
    mkdir -p "${kept%/*}"
    cat >"$kept.new"
    mv -T "$kept.new" "$kept"
    ;;
  give)
    if [ ! -s "$kept" ]; then exit 0; fi
    certificate=$(head -n 1 "$kept" | base64 -d)
    if ! printf '%s\n' "$certificate" | openssl x509 -noout -checkend 2592000 >/dev/null; then exit 0; fi
    if ! printf '%s\n' "$certificate" | openssl x509 -noout -checkhost "$name" | grep -q 'does match'; then exit 0; fi
    cat "$kept"
    ;;
esac
