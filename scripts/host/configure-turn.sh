#!/usr/bin/env bash
#
# Puts coturn's configuration, which comes on standard input, in its place, and runs coturn with it.
#
# Time limit: 300 s
set -euo pipefail
# shellcheck source=scripts/host/lib.sh
. "$(dirname "$0")/lib.sh"

parse_flags "" "$@"
config=$ROOT/etc/turnserver.conf

# tcp|udp PORT
listens() {
  local option=t
  if [[ $1 == udp ]]; then option=u; fi
  ss -Hln"$option"p "sport = :$2" | grep -q '"turnserver"'
}

all_listen() {
  listens tcp 3478 && listens udp 3478 && listens tcp 443
}

# values OPTION: of the configuration, one a line.
values() {
  sed -n "s/^$1=//p" "$text"
}

# set_of FAMILY ADDRESS…: those of that family, as nftables writes a set.
set_of() {
  local family=$1 address found=()
  shift
  for address in "$@"; do
    if [[ $address == *:* ]]; then [[ $family == ip6 ]] || continue; else [[ $family == ip ]] || continue; fi
    found+=("$address")
  done
  if ((${#found[@]})); then (IFS=, && printf '%s' "${found[*]}"); fi
}

# Where external-ip is set, coturn 4.6.1 lets anyone talk to both of its addresses, whatever is denied.
relay_rules() {
  local addresses family set
  mapfile -t addresses < <((values listening-ip && values external-ip | tr / '\n') | sort -u)
  cat <<'HERE'
# Written by the deployment: nothing is relayed to this host itself.
table inet bbb_relay_guard
delete table inet bbb_relay_guard
table inet bbb_relay_guard {
  chain output {
    type filter hook output priority -10; policy accept;
HERE
  for family in ip ip6; do
    set=$(set_of "$family" "${addresses[@]}")
    if [[ -z $set ]]; then continue; fi
    printf '    meta skuid turnserver udp sport %s-%s %s daddr { %s } counter drop\n' \
      "$(values min-port)" "$(values max-port)" "$family" "$set"
  done
  printf '  }\n}\n'
}

need_root
# Without the last line feed the shell would lose it; put_file compares whole files.
text=$(mktemp)
trap 'rm -f "$text"' EXIT
cat >"$text"
for line in '^use-auth-secret$' '^static-auth-secret=.' '^denied-peer-ip=' '^allowed-peer-ip='; do
  grep -q "$line" "$text" || fail "the configuration of coturn on standard input is not whole (nothing like $line): run pulumi up again"
done

if [[ -n $(values external-ip) ]]; then
  guard relay-guard "Relay nothing to this host itself" < <(relay_rules)
fi

restart=""
if changed put_file "$config" 640 root:turnserver <"$text"; then restart=yes; fi
mkdir -p "$STATE"
if [[ -n $restart ]]; then : >"$STATE/turn-restart"; fi
: >"$STATE/turn-configured"
systemctl unmask --quiet coturn.service
systemctl enable --quiet coturn.service
if [[ -e $STATE/turn-restart ]] || ! systemctl is-active --quiet coturn.service; then
  progress "restarting coturn"
  timeout 120 systemctl restart coturn.service || {
    journalctl --no-pager -u coturn -n 20 || true
    fail "coturn did not start: see journalctl -u coturn"
  }
fi
wait_until 30 all_listen || {
  ss -Hlntup || true
  fail "coturn does not listen on 3478 and 443: see journalctl -u coturn and /var/log/turnserver/turnserver.log"
}
rm -f "$STATE/turn-restart"
progress "coturn listens on 3478 (UDP and TCP) and 443 (TLS)"
