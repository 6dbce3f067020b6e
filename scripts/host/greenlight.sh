#!/usr/bin/env bash
#
# Sets up Greenlight on the BigBlueButton server: greenlight.py does it. Standard input: its request, with secrets.
set -euo pipefail
# shellcheck source=scripts/host/lib.sh
. "$(dirname "$0")/lib.sh"

parse_flags "" "$@"

need_root
request=""
IFS= read -r request || fail "the request is missing on standard input"
printf '%s\n' "$request" | "$PYTHON" -B "$LIB/greenlight.py" --records "$STATE/greenlight" | show ||
  fail "Greenlight is not set up, for the reason above"
progress "Greenlight is set up"
