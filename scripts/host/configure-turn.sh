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

# STUN requests are answered whoever they say they are from, up to 4.6 times as long. So that nobody is flooded with the
# answers, one IPv4 address or IPv6 network gets 200 a second, after 1000 at once: less than a school behind one address
# needs. Nothing that is relayed is such a request.
request_limit() { # TYPE SOURCE
  printf '  set requests_%s { type %s; size 65535; flags dynamic,timeout; timeout 1m; }\n' "$1" "$1"
  printf '  chain input_%s {\n    type filter hook input priority -10; policy accept;\n' "$1"
  printf '    udp dport %s @th,96,32 0x2112a442 @th,64,16 & 0xc110 == 0 ' "$(values listening-port)"
  printf 'update @requests_%s { %s limit rate over 200/second burst 1000 packets } counter drop\n  }\n' "$1" "$2"
}

# Where external-ip is set, coturn 4.6.1 lets anyone talk to both of its addresses, whatever is denied.
own_addresses() {
  local addresses family set
  mapfile -t addresses < <((values listening-ip && values external-ip | tr / '\n') | sort -u)
  printf '  chain output {\n    type filter hook output priority -10; policy accept;\n'
  for family in ip ip6; do
    set=$(set_of "$family" "${addresses[@]}")
    if [[ -z $set ]]; then continue; fi
    printf '    meta skuid turnserver udp sport %s-%s %s daddr { %s } counter drop\n' \
      "$(values min-port)" "$(values max-port)" "$family" "$set"
  done
  printf '  }\n'
}

relay_rules() {
  cat <<'HERE'
# Written by the deployment: nothing is relayed to this host itself, and nobody is flooded with its answers.
table inet bbb_relay_guard
delete table inet bbb_relay_guard
table inet bbb_relay_guard {
HERE
  request_limit ipv4_addr 'ip saddr'
  request_limit ipv6_addr 'ip6 saddr & ffff:ffff:ffff:ffff::'
  if [[ -n $(values external-ip) ]]; then own_addresses; fi
  printf '}\n'
}

need_root
# Without the last line feed the shell would lose it; put_file compares whole files.
text=$(mktemp)
trap 'rm -f "$text"' EXIT
cat >"$text"
for line in '^use-auth-secret$' '^static-auth-secret=.' '^denied-peer-ip=' '^allowed-peer-ip='; do
  grep -q "$line" "$text" || fail "the configuration of coturn on standard input is not whole (nothing like $line): run pulumi up again"
done

guard relay-guard "Relay nothing to this host itself, flood nobody with answers" < <(relay_rules)

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
