#!/usr/bin/env bash
#
# Tells coturn whom it relays to and whose credentials it takes: those of standard input (turn_access.py) and no others. It
# needs no restart, and what is relayed goes on. A former secret is taken for two days more.
#
# --server: id of the server. With --remove, of the one that had the peers: a new one keeps its own.
# --remove: leaves coturn no peer, since nobody is there any more who would take those away whose addresses are released.
set -euo pipefail
# shellcheck source=scripts/host/lib.sh
. "$(dirname "$0")/lib.sh"

parse_flags "server=! remove" "$@"
OWN=$STATE/turn-access
# shellcheck source=scripts/host/addition.sh
. "$LIB/addition.sh"
access="$LIB/turn_access.py"
database=$ROOT/var/lib/turn/turndb

need_root
request=$(cat)
nobody=()
if [[ -n ${flag[remove]:-} ]]; then
  if of_newer_server; then
    progress "the peers are those of a newer server: they stay"
    exit 0
  fi
  nobody=(--nobody)
fi
# What a start of coturn finds.
if ((${#nobody[@]} == 0)); then put_file "$OWN/request" 600 root:root <<<"$request" || (($? == 10)); else rm -f "$OWN/request"; fi
rules=$("$PYTHON" -B "$access" rules "${nobody[@]}" --root "${ROOT:-/}" <<<"$request") || fail "the peers of coturn could not be read, for the reason above"
# The package makes it; a copy of an image has none.
created=""
if [[ ! -e $database ]]; then
  put_file "$database" 660 turnserver:turnserver </dev/null
  created=yes
fi
chmod o= "$database"

guard relay-peers "Relay to the BigBlueButton servers only" <<<"$rules"
news=$("$PYTHON" -B "$access" apply "${nobody[@]}" --root "${ROOT:-/}" <<<"$request") || fail "coturn's database could not be written, for the reason above: see also journalctl -u coturn"
until=$("$PYTHON" -B "$access" retire --root "${ROOT:-/}") || fail "coturn's database could not be read, for the reason above"
mkdir -p "$OWN"
note_server
end_former_secret bbb-deploy-turn-secret "the TURN server" "$until" "$PYTHON -B $access retire"

if [[ -z $news ]]; then
  progress "coturn's peers and its secret are as they were"
  exit 0
fi
show <<<"coturn ${news//$'\n'/$'\ncoturn '}"
if systemctl is-active --quiet coturn.service; then
  if [[ -n $created ]]; then
    progress "restarting coturn, whose database was gone"
    timeout 120 systemctl restart coturn.service || fail "coturn did not start: see journalctl -u coturn"
  fi
  # It reads its peers every 5 seconds. What follows relies on that.
  sleep "${BBB_DEPLOY_REREAD:-6}"
fi
