#!/usr/bin/env bash
#
# Makes the things that the installers need: the host's name, which leads to itself, a UTF-8 locale, swap, and certbot
# asking the right certificate authority. Standard input: certificates (PEM) of a private authority to trust, or
# nothing; with --own-certificate two parts more, each after its heading: the operator's own certificate with its chain,
# and its key.
#
# --private-ipv4: the interface's address, if it is not the public one.
# --swap-mb: size for a host without swap.
# --acme-server: directory URL, for certbot's cli.ini: everything that calls certbot here obeys that. A certificate of another
#   authority is replaced.
# --email: of the account at the authority; the installers find it where this leaves it.
# --acme-ca-urls: certificates to trust, separated by commas.
set -euo pipefail
# shellcheck source=scripts/host/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=scripts/host/certbot.sh
. "$LIB/certbot.sh"

parse_flags "role=! hostname=! ipv4=! private-ipv4= swap-mb=! acme-server=! acme-ca-urls= email=! own-certificate" "$@"
hostname=${flag[hostname]} short=${flag[hostname]%%.*}

guard_rules() {
  cat <<'HERE'
# Written by the deployment. The metadata service hands out this host's SSH host key: only root may ask it, no
# container and no other user. A table of its own, replaced as a whole; other tables are not touched.
table inet bbb_metadata_guard
delete table inet bbb_metadata_guard
table inet bbb_metadata_guard {
  set ipv4 {
    type ipv4_addr
    elements = { 169.254.169.254 }
  }
  set ipv6 {
    type ipv6_addr
    elements = { fd00:ec2::254, fe80::a9fe:a9fe }
  }
  chain output {
    type filter hook output priority -10; policy accept;
    ip daddr @ipv4 meta skuid 0 accept
    ip6 daddr @ipv6 meta skuid 0 accept
    ip daddr @ipv4 counter reject
    ip6 daddr @ipv6 counter reject
  }
  chain forward {
    type filter hook forward priority -10; policy accept;
    ip daddr @ipv4 counter reject
    ip6 daddr @ipv6 counter reject
  }
}
HERE
}

guard_metadata() {
  guard metadata-guard "Keep all but root from the cloud's metadata service" < <(guard_rules)
  progress "only root reaches the metadata service"
}

set_hostname() {
  put_file "$ROOT/etc/hostname" 644 root:root <<<"$short" || (($? == 10))
  if [[ -z $ROOT ]]; then hostname "$short"; fi
  # Else cloud-init sets it back at the next boot.
  if [[ -d $ROOT/etc/cloud/cloud.cfg.d ]]; then
    put_file "$ROOT/etc/cloud/cloud.cfg.d/99-bbb-deploy.cfg" 644 root:root <<<"preserve_hostname: true" || (($? == 10))
  fi
}

# A hosts file in which this host's name leads to its own address, and no more to 127.0.1.1.
with_own_name() {
  local address=${flag[private-ipv4]:-${flag[ipv4]}}
  awk -v name="$hostname" -v line="$address $hostname $short" '
    function own(  i) { for (i = 2; i <= NF && $i !~ /^#/; i++) if ($i == name) return 1; return 0 }
    /# bbb-deploy$/ || $1 == "127.0.1.1" || ($1 !~ /^#/ && own()) { next }
    { print }
    END { print line " # bbb-deploy" }
  ' "$1"
}

set_hosts() {
  local file
  # cloud-init writes /etc/hosts from its template at each boot where the cloud asks for that (manage_etc_hosts).
  for file in /etc/hosts /etc/cloud/templates/hosts.debian.tmpl; do
    if [[ ! -e $ROOT$file ]]; then continue; fi
    put_file "$ROOT$file" 644 root:root < <(with_own_name "$ROOT$file") || (($? == 10))
  done
}

set_locale() {
  if ! grep -qsiE '^LANG=.*UTF-?8' "$ROOT/etc/default/locale" "$ROOT/etc/locale.conf"; then
    put_file "$ROOT/etc/default/locale" 644 root:root <<<"LANG=C.UTF-8" || (($? == 10))
    note "no UTF-8 locale was set; it is C.UTF-8 now"
  fi
  if ! systemctl show-environment | grep -qiE '^LANG=.*UTF-?8'; then systemctl set-environment LANG=C.UTF-8; fi
}

set_swap() {
  local size=${flag[swap-mb]} file=$ROOT/swapfile
  if [[ -n $(swapon --show --noheadings 2>/dev/null) ]]; then
    note "there is swap already"
    return 0
  fi
  if systemd-detect-virt --container --quiet; then
    progress "no swap: this host is a container, whose swap is the machine's"
    return 0
  fi
  if (($(df --output=avail -BM "$ROOT/" | tail -n 1 | tr -dc 0-9) < size + 4096)); then
    progress "note: no swap, for lack of room on the disk"
    return 0
  fi
  if [[ ! -e $file ]]; then
    (umask 077 && { fallocate -l "${size}M" "$file" || dd if=/dev/zero of="$file" bs=1M count="$size" status=none; })
    chmod 600 "$file"
    mkswap "$file"
  fi
  if ! swapon "$file"; then
    progress "note: no swap, the kernel refused it; going on without"
    rm -f "$file"
    return 0
  fi
  if ! grep -q '^/swapfile ' "$ROOT/etc/fstab"; then echo "/swapfile none swap sw 0 0" >>"$ROOT/etc/fstab"; fi
  progress "$size MB of swap"
}

# split_certificates PEM DIRECTORY PREFIX: one file a certificate, since update-ca-certificates takes one each.
split_certificates() {
  awk -v directory="$2" -v prefix="$3" '
    /-----BEGIN CERTIFICATE-----/ { file = sprintf("%s/%s-%02d.crt", directory, prefix, ++n) }
    file { print > file }
    /-----END CERTIFICATE-----/ { close(file); file = "" }
  ' "$1"
}

# The parts of standard input as files of $parts: roots, certificate, key.
read_parts() {
  parts=$(umask 077 && mktemp -d)
  trap 'rm -rf "$parts"' EXIT
  : >"$parts/roots"
  (umask 077 && awk -v directory="$parts" '
    BEGIN { part = "roots" }
    $0 == "=== certificate ===" { part = "certificate"; next }
    $0 == "=== key ===" { part = "key"; next }
    { print > (directory "/" part) }
  ')
  if [[ -n ${flag[own-certificate]:-} && ! (-s $parts/certificate && -s $parts/key) ]]; then
    fail "the certificate of $hostname is missing on standard input: run pulumi up again"
  fi
}

trust_authorities() {
  local wanted here=$ROOT/usr/local/share/ca-certificates url urls number=0 file change=""
  wanted=$(mktemp -d)
  cp "$parts/roots" "$wanted/input"
  split_certificates "$wanted/input" "$wanted" bbb-deploy-own
  IFS=, read -r -a urls <<<"${flag[acme-ca-urls]:-}"
  for url in ${urls[@]+"${urls[@]}"}; do
    number=$((number + 1))
    retry 4 curl --fail --silent --show-error --location --max-time 30 --output "$wanted/download" "$url" ||
      fail "the authority's certificate could not be fetched from $url: look at the host's way to the internet, then run pulumi up again"
    split_certificates "$wanted/download" "$wanted" "bbb-deploy-url$number"
  done
  if [[ -s $wanted/input && ! -e $wanted/bbb-deploy-own-01.crt ]]; then
    fail "the setting acmeCa holds no certificate: it must be PEM text, with -----BEGIN CERTIFICATE-----"
  fi
  mkdir -p "$here"
  for file in "$wanted"/*.crt; do
    [[ -e $file ]] || continue
    openssl x509 -noout -in "$file" || fail "a certificate of the setting acmeCa can't be read: check that it is whole PEM text"
    if changed put_file "$here/${file##*/}" 644 root:root <"$file"; then change=yes; fi
  done
  for file in "$here"/bbb-deploy-*.crt; do
    if [[ -e $file && ! -e $wanted/${file##*/} ]]; then
      rm "$file"
      change=yes
    fi
  done
  rm -r "$wanted"
  if [[ -n $change ]]; then
    update-ca-certificates --fresh
    progress "the trust store has the authority of the setting acmeServer"
  fi
}

# certbot's own cli.ini but for the server: a value of ours comes first and once.
with_server() {
  printf '# The setting acmeServer of the deployment.\nserver = %s\n' "${flag[acme-server]}"
  grep -vE '^([[:space:]]*server[[:space:]]*=|# The setting acmeServer of the deployment\.)' "$1" || true
}

# The package comes first: a cli.ini that is there before it would make dpkg ask, and an installation stop.
set_acme_server() {
  local file=$ROOT/etc/letsencrypt/cli.ini
  apt_install certbot
  mkdir -p "${file%/*}"
  touch "$file"
  put_file "$file" 644 root:root < <(with_server "$file") || (($? == 10))
}

# certbot keeps a certificate until its end, whoever issued it; and bbb-install asks for none where there is one.
change_authority() {
  local lineage=$ROOT/etc/letsencrypt/renewal/$hostname.conf
  if ! grep -qs '^server = ' "$lineage" || grep -qxF "server = ${flag[acme-server]}" "$lineage"; then return 0; fi
  progress "the certificate of $hostname is from another authority: asking ${flag[acme-server]} for one"
  # --break-my-certs: else none for trying out could follow one that browsers trust. Its renewal hooks tell the services.
  request_certificate "${flag[role]}" "$hostname" "${flag[email]}" --force-renewal --break-my-certs ||
    fail "there is no certificate for $hostname from ${flag[acme-server]}, and the one from the authority before stays, for the reason above"
}

# On a server that was off for long, e.g. while it was parked, and its timer with it. The installers take the certificate that
# is there for a good one.
renew_overdue() {
  local certificate=$live/$hostname/fullchain.pem
  if ! openssl x509 -noout -in "$certificate" 2>/dev/null || openssl x509 -noout -checkend 86400 -in "$certificate" >/dev/null; then return 0; fi
  progress "the certificate of $hostname has run out, or does within a day: asking ${flag[acme-server]} for a new one"
  request_certificate "${flag[role]}" "$hostname" "${flag[email]}" --keep-until-expiring ||
    fail "the certificate of $hostname has run out, and there is no new one, for the reason above"
  use_certificate "${flag[role]}" || fail "there is a new certificate of $hostname, but the service did not take it: see systemctl status nginx coturn"
}

# A renewal that failed leaves a failed unit; what there is to do about it is in its journal.
renewal_unit() {
  cat <<HERE
[Service]
ExecStopPost=-/bin/sh -c 'test "\$\$SERVICE_RESULT" = success || { echo "the certificate of $hostname was not renewed:"; $PYTHON -B $LIB/acme_failure.py; }'
HERE
}

renew_by_certbot() {
  put_file "$ROOT/etc/systemd/system/certbot.service.d/50-bbb-deploy.conf" 644 root:root < <(renewal_unit) || (($? == 10))
  systemctl daemon-reload
  systemctl enable --quiet --now certbot.timer
}

guard_services() {
  "$PYTHON" -B "$LIB/upgrade_guard.py" || fail "automatic upgrades could not be kept from restarting services under meetings, for the reason in the log"
}

need_root
guard_metadata
guard_services
remember_name "$hostname"
set_hostname
set_hosts
set_locale
set_swap
apt_install ca-certificates curl openssl
read_parts
trust_authorities
if [[ -n ${flag[own-certificate]:-} ]]; then
  put_file "$STATE/email" 644 root:root < <(echo "${flag[email]}") || (($? == 10))
  take_own_certificate "${flag[role]}" "$hostname" "$parts/certificate" "$parts/key"
  progress "$hostname leads to this host itself"
else
  set_acme_server
  take_kept_certificate "$hostname"
  leave_own_certificate "${flag[role]}" "$hostname" "${flag[email]}"
  change_authority
  remember_email "${flag[email]}" "${flag[acme-server]}"
  renew_overdue
  renew_by_certbot
  progress "$hostname leads to this host itself; certbot asks ${flag[acme-server]}"
fi
