# shellcheck shell=bash
#
# Where a host's certificate comes from: the certificate authority, by certbot, or the operator. Read after lib.sh.
#
# Either way it is /etc/letsencrypt/live/NAME, as certbot has it: BigBlueButton's nginx reads it there. The operator's own
# is in /local/certs, where bbb-install's -d wants it, and live/NAME leads there.

live=$ROOT/etc/letsencrypt/live
own_certs=$ROOT/local/certs

own_certificate_in_use() { # HOSTNAME
  [[ $(readlink "$live/$1/fullchain.pem") == "$own_certs/fullchain.pem" ]]
}

# Of certbot's last run since then: why there is no certificate, in $refusal, and whether asking again is of use.
may_ask_again() { # SECONDS, since 1970
  local status=0
  refusal=$("$PYTHON" -B "$LIB/acme_failure.py" --since "$1") || status=$?
  ((status != 11))
}

# ask_certbot HOSTNAME ARGUMENT…: asks again where a moment may help, and never where it can't.
ask_certbot() {
  local hostname=$1 attempts=3 attempt pause=${BBB_DEPLOY_PAUSE:-20} began
  shift
  for ((attempt = 1; ; attempt++)); do
    began=$(date +%s)
    if timeout 300 certbot "$@" </dev/null; then return 0; fi
    if ! may_ask_again "$began" || ((attempt == attempts)); then break; fi
    progress "no certificate for $hostname yet; asking again in $pause s: ${refusal:-see /var/log/letsencrypt/letsencrypt.log}"
    sleep "$pause"
    pause=$((pause * 3))
  done
  progress "no certificate for $hostname: ${refusal:-see /var/log/letsencrypt/letsencrypt.log on this host}"
  return 1
}

# A certificate for this host, in the way that its role allows while everything runs.
request_certificate() { # ROLE HOSTNAME EMAIL ARGUMENT…
  local role=$1 hostname=$2 email=$3 assets=$ROOT/var/www/bigbluebutton-default way
  shift 3
  if [[ $role == bbb ]]; then
    if [[ -d $assets/assets ]]; then assets+=/assets; fi
    way=(--webroot --webroot-path "$assets" --key-type rsa --rsa-key-size 4096 --deploy-hook "systemctl reload nginx")
  else
    way=(--standalone --key-type ecdsa)
  fi
  ask_certbot "$hostname" certonly "${way[@]}" --non-interactive --agree-tos --email "$email" --domain "$hostname" \
    --cert-name "$hostname" "$@"
}

# The services take a changed certificate without an end to what runs. None of them need be there yet.
use_certificate() { # ROLE
  local hook=$ROOT/etc/letsencrypt/renewal-hooks/deploy/bbb-deploy-coturn
  if [[ $1 == turn ]]; then
    if [[ -x $hook ]]; then "$hook"; fi
  elif systemctl is-active --quiet nginx.service; then
    systemctl reload nginx.service
  fi
}

# take_own_certificate ROLE HOSTNAME CERTIFICATE KEY: puts the operator's files into use, in place of certbot's.
take_own_certificate() {
  local role=$1 hostname=$2 file
  install -d -m 700 "$own_certs"
  put_file "$own_certs/fullchain.pem" 644 root:root <"$3" || (($? == 10))
  put_file "$own_certs/privkey.pem" 600 root:root <"$4" || (($? == 10))
  if ! own_certificate_in_use "$hostname"; then
    if [[ -e $ROOT/etc/letsencrypt/renewal/$hostname.conf ]]; then
      progress "certbot's certificate of $hostname goes; the operator's own takes its place"
      # It deletes none whose settings somebody broke.
      certbot delete --non-interactive --cert-name "$hostname" </dev/null ||
        rm -rf "$ROOT/etc/letsencrypt/renewal/$hostname.conf" "$ROOT/etc/letsencrypt/archive/$hostname"
    fi
    rm -rf "${live:?}/$hostname"
    install -d -m 700 "$live"
    install -d "$live/$hostname"
    for file in privkey.pem fullchain.pem; do ln -s "$own_certs/$file" "$live/$hostname/$file"; done
  fi
  systemctl reset-failed certbot.service 2>/dev/null || true
  use_certificate "$role" || fail "the certificate of $hostname is in $own_certs, but the service did not take it: see systemctl status nginx coturn"
  progress "the certificate of $hostname is the operator's own, valid until $(date -u -d "$(openssl x509 -noout -enddate -in "$own_certs/fullchain.pem" | cut -d= -f2)" +%F)"
}

# leave_own_certificate ROLE HOSTNAME EMAIL: the authority's again, where there is one; where not, the operator's stays.
leave_own_certificate() {
  local role=$1 hostname=$2 aside=$live/.$2.own status=0
  if [[ -e $aside && ! -e $live/$hostname ]]; then mv "$aside" "$live/$hostname"; fi
  if ! own_certificate_in_use "$hostname"; then return 0; fi
  if [[ $role == turn && -e $ROOT/etc/letsencrypt/renewal-hooks/deploy/bbb-deploy-coturn ]] ||
    [[ $role == bbb && -d $ROOT/var/www/bigbluebutton-default ]]; then
    progress "the certificate of $hostname is the operator's own: asking the authority for one"
    rm -rf "$aside"
    mv "$live/$hostname" "$aside"
    request_certificate "$@" || status=$?
    if ((status != 0)); then
      rm -rf "${live:?}/$hostname"
      mv "$aside" "$live/$hostname"
      fail "the operator's own certificate of $hostname stays in use, since the authority gave none, for the reason above"
    fi
    use_certificate "$role"
  fi
  rm -rf "$aside" "$own_certs"
  if own_certificate_in_use "$hostname"; then rm -rf "${live:?}/$hostname"; fi
}
