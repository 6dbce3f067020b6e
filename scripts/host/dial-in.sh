#!/usr/bin/env bash
#
# Sets up dial-in by telephone on the BigBlueButton server: dial_in.py does it. Standard input: its request, with the
# provider's password. It restarts nothing, so it ends no meeting.
#
# --server: id of the server. With --remove, of the one that had it: a new one keeps its own.
# --remove: takes FreeSWITCH's files, its gateway and ufw's rules away.
set -euo pipefail
# shellcheck source=scripts/host/lib.sh
. "$(dirname "$0")/lib.sh"

parse_flags "server=! remove" "$@"
OWN=$STATE/dial-in
# shellcheck source=scripts/host/addition.sh
. "$LIB/addition.sh"

remove_dial_in() {
  if of_newer_server; then
    progress "dial-in is that of a newer server: it stays"
    return 0
  fi
  rm -f "$OWN/server"
  "$PYTHON" -B "$LIB/dial_in.py" remove --root "${ROOT:-/}" 2>&1 | show || fail "dial-in is not removed, for the reason above"
}

set_up() {
  local request=""
  IFS= read -r request || fail "the request is missing on standard input"
  printf '%s\n' "$request" | "$PYTHON" -B "$LIB/dial_in.py" set --root "${ROOT:-/}" 2>&1 | show ||
    fail "dial-in is not set up, for the reason above"
  note_server
  progress "dial-in is set up"
}

need_root
if [[ -n ${flag[remove]:-} ]]; then remove_dial_in; else set_up; fi
