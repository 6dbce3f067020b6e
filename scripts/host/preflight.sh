#!/usr/bin/env bash
#
# Checks that a host is fit for its role, before anything is installed. Collects all problems, then ends with all of
# them, each with its advice.
#
# --ipv6: the address that the name's AAAA record must have; without it there must be no such record.
# --name-servers: those that have the name's records; with a zone that is delegated to others, nothing is waited for.
# --line: of the BigBlueButton to be installed, e.g. 2.7; --previous-line and --previous-release: those from which it can be
# upgraded, e.g. 2.6 and focal-26.
# --dns-wait: seconds to wait for the name's records on the zone's name servers.
set -euo pipefail
# shellcheck source=scripts/host/lib.sh
. "$(dirname "$0")/lib.sh"

parse_flags "role=! ubuntu=! hostname=! ipv4=! ipv6= zone=! min-memory-kb=! min-cores=! min-disk-gb=! dns-wait=! name-servers= line= previous-line= previous-release=" "$@"
role=${flag[role]} hostname=${flag[hostname]}

findings=()
finding() {
  findings+=("$*")
}

# Whether our installer has been here: what it installed holds ports and has used disk.
deployed_before() {
  case $role in
    bbb) [[ -e $ROOT/etc/bigbluebutton || -e $STATE/install-bbb/latest ]] ;;
    turn) [[ -e $STATE/install-turn/latest ]] ;;
    balancer) [[ -e $STATE/install-balancer/latest ]] ;;
  esac
}

wait_for_cloud_init() {
  local status=0
  if ! command -v cloud-init >/dev/null; then return 0; fi
  if ! cloud-init status 2>/dev/null | grep -qE 'done|error|disabled'; then
    progress "waiting for the machine's first boot (cloud-init) to end"
  fi
  timeout 600 cloud-init status --wait >/dev/null 2>&1 || status=$?
  case $status in
    0) ;;
    2) note "cloud-init reports recoverable errors" ;;
    124) finding "the machine's first boot (cloud-init) did not end in 10 minutes. See /var/log/cloud-init-output.log there" ;;
    *)
      progress "note: cloud-init reports errors in this machine's first boot; going on"
      cloud-init status --long 2>&1 || true
      ;;
  esac
}

check_system() {
  local architecture id version
  architecture=$(uname -m)
  if [[ $architecture != x86_64 ]]; then
    finding "the processor is $architecture; BigBlueButton exists for x86_64 only. Choose another server type: no cax… at Hetzner, no Graviton (…g) at AWS"
  fi
  # shellcheck disable=SC1091
  id=$(. "$ROOT/etc/os-release" && echo "${ID:-}")
  # shellcheck disable=SC1091
  version=$(. "$ROOT/etc/os-release" && echo "${VERSION_ID:-}")
  if [[ $id == ubuntu && $version != "${flag[ubuntu]}" && $role == bbb ]] && deployed_before; then
    finding "this server has BigBlueButton $(installed_release) on Ubuntu $version, and the setting release asks for one on Ubuntu ${flag[ubuntu]}, which no running server becomes. Set release back; or $NEW_SERVER"
  elif [[ $id != ubuntu || $version != "${flag[ubuntu]}" ]]; then
    finding "the system is $id $version, not Ubuntu ${flag[ubuntu]}. Leave out the setting image, or name an image of Ubuntu ${flag[ubuntu]} there"
  fi
}

# What always helps where a server can't become what it should be.
NEW_SERVER="have a new server take its place: ./scripts/replace STACK (docs/replace.md). Names, addresses, secrets and recordings stay, Greenlight and what was set by hand come over, and there is a way back. In a program of your own: pulumi up --replace with the server's URN (pulumi stack --show-urns), which loses all that is on the root disk but a recordings volume (before that, on this server: sudo /usr/local/lib/bbb-deploy/unmount-recordings.sh)"

# Whether the BigBlueButton that is here can become the line that is asked for, on the same Ubuntu.
check_line() {
  local here line=${flag[line]:-} by_steps="Set release back; or "
  if [[ -n ${flag[previous-release]:-} ]]; then
    by_steps="Set release ${flag[previous-release]}, run pulumi up, then set it to the later one and run it again; or "
  fi
  here=$(installed_release)
  if [[ -z $line || ! $here =~ ^([0-9]+\.[0-9]+)([^0-9]|$) ]]; then return 0; fi
  case ${BASH_REMATCH[1]} in
    "$line") ;;
    "${flag[previous-line]:-none}") progress "BigBlueButton $here becomes $line" ;;
    *)
      if [[ $(printf '%s\n' "${BASH_REMATCH[1]}" "$line" | sort -V | tail -n 1) == "$line" ]]; then
        finding "this server has BigBlueButton $here, and no way leads from there to $line at once. ${by_steps}$NEW_SERVER"
      else
        finding "this server has BigBlueButton $here, and the setting release asks for the earlier $line, to which no running server goes back: its packages and data are the later one's. Set release back; or $NEW_SERVER"
      fi
      ;;
  esac
}

installed_release() {
  sed -n 's/^BIGBLUEBUTTON_RELEASE=//p' "$ROOT/etc/bigbluebutton/bigbluebutton-release" 2>/dev/null | grep . || echo "of another release"
}

check_size() {
  local memory cores free need=${flag[min-disk-gb]}
  memory=$(awk '$1 == "MemTotal:" {print $2}' "$ROOT/proc/meminfo")
  if ((memory < ${flag[min-memory-kb]})); then
    finding "the host has $memory kB of memory, less than the ${flag[min-memory-kb]} kB it needs. Choose a larger $(server_type_setting)"
  fi
  cores=$(nproc --all)
  if ((cores < ${flag[min-cores]})); then
    finding "the host has $cores cores, less than the ${flag[min-cores]} it needs. Choose a larger $(server_type_setting)"
  fi
  if deployed_before; then need=2; fi
  free=$(df --output=avail -B1G "$ROOT/" | tail -n 1)
  if ((free < need)); then
    finding "the root file system has $((free)) GB free, less than the $need GB it needs. Choose a larger $(server_type_setting), or make room"
  fi
}

server_type_setting() {
  case $role in
    bbb) echo serverType ;;
    turn) echo turnServerType ;;
    balancer) echo balancerServerType ;;
  esac
}

check_ipv6() {
  local remedy="Enable IPv6 in the kernel, at least on lo: look for ipv6.disable=1 in /proc/cmdline and for disable_ipv6 in /etc/sysctl.d"
  if [[ $role != bbb && -z ${flag[ipv6]:-} ]]; then return 0; fi
  if ! grep -q . "$ROOT/proc/net/if_inet6" 2>/dev/null; then
    finding "the host has no IPv6 stack, which BigBlueButton's services bind to. $remedy"
  elif ! grep -q '^00000000000000000000000000000001 ' "$ROOT/proc/net/if_inet6"; then
    finding "IPv6 is off on the loopback interface, where BigBlueButton's services bind. $remedy"
  fi
  if [[ -n ${flag[ipv6]:-} && -z $(ip -6 -o address show to "${flag[ipv6]}" 2>/dev/null) ]]; then
    finding "the address ${flag[ipv6]} is on none of the host's interfaces: $hostname would lead IPv6 users nowhere. Look at its network settings (ip -6 address); one that was added to a running host needs cloud-init clean --configs network and a reboot"
  fi
}

# check_port tcp|udp PORT PROGRAM…: free, or held by one of the programs.
check_port() {
  local protocol=$1 port=$2 holders holder
  shift 2
  local option=t
  if [[ $protocol == udp ]]; then option=u; fi
  holders=$(ss -Hln"$option"p "sport = :$port" 2>/dev/null | sed -n 's/.*users:(("\([^"]*\)".*/\1/p' | sort -u)
  for holder in $holders; do
    if [[ " $* " == *" $holder "* ]]; then
      if [[ $holder != nginx ]] || deployed_before; then continue; fi
    fi
    finding "port $port/$protocol is taken by $holder. Deploy on a server with nothing else on it, or stop and remove $holder"
  done
}

check_ports() {
  if [[ $role == bbb ]]; then
    check_port tcp 80 nginx certbot
    check_port tcp 443 nginx haproxy
    if installed apache2-bin; then
      finding "the package apache2-bin is installed, with which BigBlueButton's installer refuses to work. Remove it: apt-get remove apache2-bin"
    fi
  elif [[ $role == balancer ]]; then
    check_port tcp 80 nginx certbot
    check_port tcp 443 nginx
  else
    check_port tcp 80 certbot
    check_port tcp 443 turnserver
    check_port tcp 3478 turnserver
    check_port udp 3478 turnserver
  fi
}

check_dns() {
  local wait=${flag[dns-wait]} output status=0 line
  if ! command -v dig >/dev/null; then apt_install bind9-dnsutils; fi
  # Something else is wrong already: tell it soon.
  if ((${#findings[@]} > 0 && wait > 20)); then wait=20; fi
  output=$(mktemp)
  "$PYTHON" "$LIB/dns_check.py" --zone "${flag[zone]}" --hostname "$hostname" --ipv4 "${flag[ipv4]}" \
    ${flag[ipv6]:+--ipv6 "${flag[ipv6]}"} ${flag[name-servers]:+--name-servers "${flag[name-servers]}"} --wait "$wait" 2>&1 >"$output" |
    show || status=$?
  while IFS= read -r line; do finding "$line"; done <"$output"
  if ((status != 0 && ${#findings[@]} == 0)); then finding "DNS could not be checked, see the log: run pulumi up again"; fi
  rm "$output"
}

need_root
wait_for_cloud_init
check_system
if [[ $role == bbb ]]; then check_line; fi
check_size
check_ipv6
check_ports
check_dns

if ((${#findings[@]} > 0)); then
  progress "$hostname is not fit to be deployed, for ${#findings[@]} reason(s):"
  for line in "${findings[@]}"; do progress "  - $line"; done
  exit 1
fi
progress "Ubuntu ${flag[ubuntu]}, $(nproc --all) cores, $(($(awk '$1 == "MemTotal:" {print $2}' "$ROOT/proc/meminfo") / 1000000)) GB; $hostname leads here"
