#!/usr/bin/env bash
#
# Installs coturn's configuration from standard input, and runs coturn with it. Its peers and secrets come by turn-access.sh.
#
# --rotate-turn-secret: that setting. A new value makes this run again, and puts back what others changed.
set -euo pipefail
# shellcheck source=scripts/host/lib.sh
. "$(dirname "$0")/lib.sh"

parse_flags "rotate-turn-secret=" "$@"
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

# Requests over UDP are answered whoever they say they are from, up to 4.6 times as long. So that nobody is flooded with the
# answers, an IPv4 address or IPv6 network has so many of them answered:
#   Binding                  200 a second after 1000
#   others, of strangers     200 a second after 2500: a school behind one address whose pupils all come at once
#   others, of whom a relay was granted within 10 minutes, so that it asked itself:
#                            500 a second after 4000; all that are as long as the answer, as those with credentials are
# Nothing that is relayed is such a request.
request_limits() { # FAMILY TYPE SOURCE DESTINATION
  local type='@th,64,16' port name
  port=$(values listening-port)
  for name in bindings strangers known; do
    printf '  set %s_%s { type %s; size 65535; flags dynamic,timeout; timeout 1m; }\n' "$name" "$1" "$2"
  done
  printf '  set granted_%s { type %s; size 65535; flags dynamic,timeout; timeout 10m; }\n' "$1" "$2"
  cat <<HERE
  chain requests_$1 {
    $type 0x0001 $(at_most "bindings_$1" "$3" 200 1000)
    $type 0x0001 accept
    $3 @granted_$1 udp length >= $(longest_answer) accept
    $3 @granted_$1 $(at_most "known_$1" "$3" 500 4000)
    $3 @granted_$1 accept
    $(at_most "strangers_$1" "$3" 200 2500)
  }
  chain input_$1 {
    type filter hook input priority -10; policy accept;
    meta nfproto $1 udp dport $port $COOKIE $type & $CLASS == 0 jump requests_$1
  }
  chain grants_$1 {
    type filter hook output priority -10; policy accept;
    meta nfproto $1 udp sport $port $COOKIE $type & $CLASS == 0x0100 $type != 0x0101 update @granted_$1 { $4 }
  }
HERE
}

# STUN's magic cookie, and the bits that tell it from other traffic, and a request from an answer.
COOKIE='@th,96,32 0x2112a442'
CLASS=0xc110

at_most() { # SET KEY RATE BURST
  printf 'update @%s { %s limit rate over %s/second burst %s packets } counter drop' "$@"
}

# As UDP counts it: 80 bytes and the realm, filled up to four.
longest_answer() {
  local realm
  realm=$(values realm)
  echo $((80 + (${#realm} + 3) / 4 * 4))
}

relay_rules() {
  cat <<'HERE'
# Written by the deployment: nobody is flooded with coturn's answers.
table inet bbb_relay_guard
delete table inet bbb_relay_guard
table inet bbb_relay_guard {
HERE
  request_limits ipv4 ipv4_addr 'ip saddr' 'ip daddr'
  request_limits ipv6 ipv6_addr 'ip6 saddr & ffff:ffff:ffff:ffff::' 'ip6 daddr & ffff:ffff:ffff:ffff::'
  printf '}\n'
}

need_root
# Without the last line feed the shell would lose it; put_file compares whole files.
text=$(mktemp)
trap 'rm -f "$text"' EXIT
cat >"$text"
for line in '^use-auth-secret$' '^userdb=.' '^denied-peer-ip='; do
  grep -q "$line" "$text" || fail "the configuration of coturn on standard input is not whole (nothing like $line): run pulumi up again"
done

guard relay-guard "Flood nobody with coturn's answers" < <(relay_rules)

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
