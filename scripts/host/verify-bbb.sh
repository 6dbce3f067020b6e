#!/usr/bin/env bash
#
# Whether the deployment works, asked on the BigBlueButton host over the public names: BigBlueButton itself, and the TURN
# server. Standard input: the shared secret in the first line, the TURN secret in the second.
#
# --ipv4: this host's public address, which the TURN server must relay to.
# --untrusted-ca: browsers don't know the certificate's authority.
#
# Time limit: 1800 s
set -euo pipefail
# shellcheck source=scripts/host/lib.sh
. "$(dirname "$0")/lib.sh"

parse_flags "hostname=! turn-host=! ipv4=! untrusted-ca" "$@"
failed=0

# show: lines of a check, to the operator; a failed one fails the step at its end.
show() {
  local line
  while IFS= read -r line; do
    progress "$line"
    if [[ $line == FAIL* ]]; then failed=$((failed + 1)); fi
  done
}

# check COMMAND…: shows what the command prints. One that fails without saying so has failed, too.
check() {
  local before=$failed status=0 output
  output=$("$@" 2>&1) || status=$?
  show <<<"$output"
  if ((status != 0 && failed == before)); then
    failed=$((failed + 1))
    progress "FAIL  $1 ${2:-} ended with $status"
  fi
}

# Of what this release installs, whatever is switched on must run.
units=(nginx redis-server freeswitch bbb-apps-akka bbb-fsesl-akka bbb-web bbb-webrtc-sfu bbb-webrtc-recorder
  bbb-graphql-server bbb-graphql-actions bbb-graphql-middleware bbb-html5 mongod etherpad bbb-pads
  bbb-shared-notes-server bbb-export-annotations bbb-rap-resque-worker bbb-rap-starter bbb-rap-caption-inbox
  livekit-server livekit-sip bbb-webhooks)
always=" nginx freeswitch bbb-apps-akka bbb-fsesl-akka bbb-web "

services_down() {
  local unit
  for unit in "${units[@]}"; do
    if [[ $always != *" $unit "* ]] && ! systemctl is-enabled --quiet "$unit" 2>/dev/null; then continue; fi
    if [[ $(systemctl is-active "$unit" 2>/dev/null) != active ]]; then echo "$unit"; fi
  done
}

services_up() {
  [[ -z $(services_down) ]]
}

check_services() {
  local began=$SECONDS down unit
  if wait_until 120 services_up; then
    echo "ok    services — all active — $((SECONDS - began)) s"
    return 0
  fi
  down=$(services_down | paste -sd' ')
  echo "FAIL  services — not active: $down — $((SECONDS - began)) s"
  for unit in $down; do echo "      to do: journalctl -u $unit says why; then systemctl restart $unit"; done
  return 1
}

check_bbb_conf() {
  local began=$SECONDS output status=0 judged kind text
  output=$(timeout 300 bbb-conf --check </dev/null 2>&1) || status=$?
  # Where the secret of bbb-webhooks is another one, it shows both.
  output=$(without "$shared_secret" "$output")
  printf '%s\n' "$output" >&4
  judged=$("$PYTHON" "$LIB/bbb_conf_check.py" <<<"$output") || true
  if [[ -z $judged ]]; then
    echo "ok    bbb-conf --check — no problems — $((SECONDS - began)) s"
    return 0
  fi
  while read -r kind text; do
    printf '%-4s  bbb-conf --check — %s — %s s\n' "$kind" "$text" "$((SECONDS - began))"
    if [[ $kind == FAIL ]]; then echo "      to do: run bbb-conf --check on ${flag[hostname]}, which says more"; fi
  done <<<"$judged"
  [[ $judged != *FAIL* ]]
}

need_root
if ! { IFS= read -r shared_secret && IFS= read -r turn_secret; }; then fail "the two secrets are missing on standard input"; fi
exec 4>&1
check check_services
check "$PYTHON" "$LIB/api_check.py" deployment --hostname "${flag[hostname]}" ${flag[untrusted-ca]:+--untrusted-ca} <<<"$shared_secret"
check check_bbb_conf </dev/null
if apt_has python3-aioice; then
  apt_install python3-aioice
  check "$PYTHON" "$LIB/turn_check.py" --turn-host "${flag[turn-host]}" --peer "${flag[ipv4]}" <<<"$turn_secret"
else
  progress "warn  TURN from here — not checked, since this Ubuntu release is too old for python3-aioice; the TURN host checks it — 0 s"
fi
if ((failed > 0)); then fail "$failed check(s) failed; mend what they name, then run pulumi up again"; fi
progress "https://${flag[hostname]} works"
