# shellcheck shell=bash
#
# Source of a host's certificate: the certificate authority, by certbot, or the operator. Sourced after lib.sh.
#
# Both kinds are at /etc/letsencrypt/live/NAME, in certbot's form: BigBlueButton's nginx reads it there. The operator's
# own is in /local/certs, where bbb-install's -d expects it, and live/NAME leads there.

letsencrypt=$ROOT/etc/letsencrypt
live=$letsencrypt/live
own_certs=$ROOT/local/certs

own_certificate_in_use() { # HOSTNAME
  [[ $(readlink "$live/$1/fullchain.pem") == "$own_certs/fullchain.pem" ]]
}

# The address of the account at the authority, which prepare.sh leaves here: no step that installs runs for a new one.
account_email() {
  cat "$STATE/email"
}

# remember_email EMAIL ACME-SERVER: for the installers, and told the authority where there is an account already.
remember_email() {
  local account=$ROOT/etc/letsencrypt/accounts/${2#*://}
  if [[ -d $account && $(cat "$STATE/email" 2>/dev/null) != "$1" ]]; then
    timeout 120 certbot update_account --non-interactive --email "$1" </dev/null ||
      fail "$2 does not take $1 as the address of this host's account: see /var/log/letsencrypt/letsencrypt.log. If it does not answer, run pulumi up again; else change the setting email"
    progress "$1 is the address of this host's account at the authority"
  fi
  put_file "$STATE/email" 644 root:root < <(echo "$1") || (($? == 10))
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

# Whether certbot renews the certificate in live/HOSTNAME: it has settings for it, and its links are whole.
certbot_knows() { # HOSTNAME
  local conf=$letsencrypt/renewal/$1.conf file
  for file in cert privkey chain fullchain; do
    if ! grep -qs "^$file = " "$conf" || [[ ! -L $live/$1/$file.pem || ! -e $live/$1/$file.pem ]]; then return 1; fi
  done
}

# What certbot does not know makes it refuse the name, or take NAME-0001, which nothing uses: it is moved away, and comes back
# where no new certificate can be had. Nothing is deleted.
leftovers=$letsencrypt/bbb-deploy-leftovers

parts_of() { # HOSTNAME
  printf '%s\n' "live/$1" "archive/$1" "renewal/$1.conf"
}

set_leftovers_aside() { # HOSTNAME
  local part moved=""
  put_leftovers_back "$1"
  while IFS= read -r part; do
    if [[ ! -e $letsencrypt/$part && ! -L $letsencrypt/$part ]]; then continue; fi
    install -d -m 700 "$leftovers"
    mkdir -p "$leftovers/$1/${part%/*}"
    mv "$letsencrypt/$part" "$leftovers/$1/$part"
    moved+=" $part"
  done < <(parts_of "$1")
  if [[ -n $moved ]]; then progress "certbot does not know what is left of a certificate of $1 in $letsencrypt:$moved; it is in $leftovers now"; fi
}

# After a failure, or an interruption.
put_leftovers_back() { # HOSTNAME
  local part
  if [[ ! -d $leftovers/$1 ]]; then return 0; fi
  while IFS= read -r part; do
    if [[ -e $leftovers/$1/$part && ! -e $letsencrypt/$part ]]; then mv "$leftovers/$1/$part" "$letsencrypt/$part"; fi
  done < <(parts_of "$1")
  leave_leftovers "$1"
}

# Under a name of their own, so that a later failure does not bring them back.
leave_leftovers() { # HOSTNAME
  if [[ ! -d $leftovers/$1 ]]; then return 0; fi
  if [[ -z $(find "$leftovers/$1" -mindepth 1 ! -type d -print -quit) ]]; then rm -r "${leftovers:?}/$1"; else mv "$leftovers/$1" "$leftovers/$1.$(date +%s%N)"; fi
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
  if ! certbot_knows "$hostname"; then set_leftovers_aside "$hostname"; fi
  if ! ask_certbot "$hostname" certonly "${way[@]}" --non-interactive --agree-tos ${email:+--email "$email"} --domain "$hostname" \
    --cert-name "$hostname" "$@"; then
    put_leftovers_back "$hostname"
    return 1
  fi
  leave_leftovers "$hostname"
}

# take_kept_certificate HOSTNAME: puts that of an earlier server of this name into use, of which the pool's balancer had a copy. certbot
# renews it as it did there, with the account that has it. What is not whole is left out, and the installer asks for another.
take_kept_certificate() {
  local hostname=$1 given=$STATE/kept-certificate from
  if [[ ! -s $given ]]; then return 0; fi
  from=$(umask 077 && mktemp -d)
  if [[ ! -e $live/$hostname && ! -e $letsencrypt/renewal/$hostname.conf ]] && unpack_kept "$hostname" "$from" <"$given"; then
    install -d "$letsencrypt/renewal"
    install -d -m 700 "$live" "$letsencrypt/archive" "$letsencrypt/accounts"
    cp -a --no-clobber "$from/accounts/." "$letsencrypt/accounts/"
    mv "$from/archive/$hostname" "$letsencrypt/archive/$hostname"
    mv "$from/live/$hostname" "$live/$hostname"
    # A command in it would run as root.
    awk '!/_hook/ || $0 == "renew_hook = systemctl reload nginx"' "$from/renewal/$hostname.conf" >"$letsencrypt/renewal/$hostname.conf"
    progress "the certificate of $hostname is that of the server before, which the balancer kept; valid until $(date -u -d "$(openssl x509 -noout -enddate -in "$live/$hostname/fullchain.pem" | cut -d= -f2)" +%F)"
  fi
  rm -rf "$from" "$given"
}

# unpack_kept HOSTNAME DIRECTORY <KEPT: whether it is whole, for this name, and its key its own.
unpack_kept() {
  local of=$2/live/$1
  tail -n 1 | base64 -d | tar -xzf - -C "$2" --no-same-owner &&
    [[ -d $2/accounts && -d $2/archive/$1 && -s $2/renewal/$1.conf ]] &&
    openssl x509 -noout -checkhost "$1" -in "$of/fullchain.pem" | grep -q 'does match' &&
    cmp -s <(openssl x509 -noout -pubkey -in "$of/fullchain.pem") <(openssl pkey -pubout -in "$of/privkey.pem")
}

# Names that this deployment gave the host, one a line.
names=$STATE/names

# remember_name HOSTNAME: before /etc/hosts says nothing of the former one any more.
remember_name() {
  local known
  known=$({
    cat "$names" 2>/dev/null || true
    awk '/# bbb-deploy$/ { print $2 }' "$ROOT/etc/hosts" 2>/dev/null || true
    echo "$1"
  } | awk 'NF && !seen[$0]++')
  put_file "$names" 644 root:root <<<"$known" || (($? == 10))
}

# retire_former_names HOSTNAME: once its certificate works. Certificates of the host's former names can't be renewed when
# these lead elsewhere, and a renewal that fails is told. What covers other names too, or is still used, stays.
retire_former_names() {
  local former users covered
  while IFS= read -r former; do
    if [[ $former == "$1" || ! -e $letsencrypt/renewal/$former.conf ]]; then continue; fi
    covered=$(covered_names "$former")
    users=$(users_of "$former")
    if [[ -n $covered ]] && grep -qvxFf "$names" <<<"$covered"; then
      progress "note: the certificate of the former name $former covers other names, too, and stays: certbot certificates"
    elif [[ -n $users ]]; then
      progress "note: the certificate of the former name $former stays, since it is used in ${users//"$ROOT"/}"
    elif certbot delete --non-interactive --cert-name "$former" </dev/null; then
      progress "the certificate of the former name $former is not renewed any more"
    else
      progress "note: the certificate of the former name $former could not be removed, see the log: certbot delete --cert-name $former"
    fi
  done < <(cat "$names" 2>/dev/null || true)
  set_strays_aside "$1"
  systemctl reset-failed certbot.service 2>/dev/null || true
}

covered_names() { # LINEAGE
  openssl x509 -noout -ext subjectAltName -in "$live/$1/fullchain.pem" 2>/dev/null | grep -o 'DNS:[^, ]*' | cut -d: -f2 | sort -u || true
}

# Files of the services that name a certificate.
users_of() { # LINEAGE
  grep -rlF "/live/$1/" "$ROOT/etc/nginx" "$ROOT/etc/haproxy" "$ROOT/etc/turnserver.conf" "$letsencrypt/renewal-hooks" 2>/dev/null | paste -sd' ' || true
}

# A host that had another name before its names were remembered still has that one's certificate renewed, which fails. It is
# known by its settings, as this deployment makes them, by its names, which all lead elsewhere, and since nobody uses it. Its
# settings are moved away, so that certbot lets it be. Nothing is deleted.
set_strays_aside() { # HOSTNAME
  local conf name aside
  for conf in "$letsencrypt"/renewal/*.conf; do
    name=$(basename "$conf" .conf)
    if [[ ! -e $conf || $name == "$1" || -n $(users_of "$name") ]] || ! made_here "$conf" || ! all_lead_elsewhere "$1" "$name"; then continue; fi
    aside=$leftovers/$name.$(date +%s%N)/renewal
    install -d -m 700 "$leftovers" "${aside%/*}" "$aside"
    mv "$conf" "$aside/"
    progress "the certificate of $name, a name that does not lead to this host, is not renewed any more: its settings are in $aside"
  done
}

# Whether a lineage's settings are those of request_certificate, or of BigBlueButton's installer.
made_here() { # RENEWAL-FILE
  grep -qE '^webroot_path = [^,]*/var/www/bigbluebutton-default|^authenticator = standalone$' "$1"
}

# Whether none of a certificate's names has an address of this host's; where one can't be asked for, nothing is known.
all_lead_elsewhere() { # HOSTNAME LINEAGE
  local covered name addresses own
  covered=$(covered_names "$2")
  own=$(addresses_of "$1") || return 1
  if [[ -z $covered || -z $own ]]; then return 1; fi
  for name in $covered; do
    addresses=$(addresses_of "$name") || return 1
    if grep -qxFf - <(echo "$own") <<<"${addresses:-none}"; then return 1; fi
  done
}

# Addresses of a name in the DNS, one a line, and none of /etc/hosts; fails where the resolver has no answer.
addresses_of() { # NAME
  local type told
  for type in A AAAA; do
    told=$(dig +noall +comments +answer +time=3 +tries=2 "$1" "$type" 2>/dev/null) || return 1
    if ! grep -qE 'status: (NOERROR|NXDOMAIN)' <<<"$told"; then return 1; fi
    awk -v type="$type" '$4 == type { print tolower($5) }' <<<"$told"
  done
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
