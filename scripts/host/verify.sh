#!/usr/bin/env bash
#
# Checks that the deployment works, on this host over the public names: a page with a line for each check, made by
# host_check.py. Standard input: its request, secrets included.
set -euo pipefail
# shellcheck source=scripts/host/lib.sh
. "$(dirname "$0")/lib.sh"

parse_flags "" "$@"

need_root
request=""
IFS= read -r request || fail "the request is missing on standard input"
if apt_has python3-aioice; then apt_install python3-aioice; fi
printf '%s\n' "$request" | "$PYTHON" -B "$LIB/host_check.py" --wait "${BBB_DEPLOY_PATIENCE:-180}" --meeting | show ||
  fail "not all is well: mend what the lines with FAIL name, then run pulumi up again"
progress "verified: all that this host can ask works"
