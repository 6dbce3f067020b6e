#!/usr/bin/env bash
#
# Sets up Greenlight on the BigBlueButton server, once its containers are well: greenlight.py does it. Standard input: its
# request, with the administrator's password.
set -euo pipefail
# shellcheck source=scripts/host/lib.sh
. "$(dirname "$0")/lib.sh"

parse_flags "" "$@"

show() {
  local line
  while IFS= read -r line; do progress "$line"; done
}

need_root
request=""
IFS= read -r request || fail "the request is missing on standard input"
printf '%s\n' "$request" | "$PYTHON" -B "$LIB/greenlight.py" --record "$STATE/greenlight/before.json" | show ||
  fail "Greenlight is not set up, for the reason above"
progress "Greenlight is set up"
